-- Grain: one row for each identifier ever seen. Nodes count up in the order in which identifiers
-- arrived, never in the order of event times: a late event must not change who is the oldest.
{{ config(
    materialized='incremental',
    unique_key='node',
    cluster_by=['type', 'value'],
    post_hook='{{ record_applied_loads() }}'
) }}

with arrived as (
    select
        type,
        value,
        min(_seq) as first_seq,
        min(timestamp) as first_seen_at,
        max(timestamp) as last_seen_at
    from {{ ref('int_event_identifiers') }}
    where {{ in_new_loads() }}
    group by type, value
),

known as (
    {% if is_incremental() -%}
    select * from {{ this }}
    {%- else -%}
    select
        cast(null as {{ dbt.type_bigint() }}) as node,
        *
    from arrived
    limit 0
    {%- endif %}
)

select
    coalesce(
        known.node,
        (select coalesce(max(node), 0) from known) + row_number() over (
            partition by known.node is null
            order by arrived.first_seq, arrived.type, arrived.value
        )
    ) as node,
    arrived.type,
    arrived.value,
    least(arrived.first_seq, coalesce(known.first_seq, arrived.first_seq)) as first_seq,
    least(arrived.first_seen_at, coalesce(known.first_seen_at, arrived.first_seen_at)) as first_seen_at,
    greatest(arrived.last_seen_at, coalesce(known.last_seen_at, arrived.last_seen_at)) as last_seen_at
from arrived
left join known on known.type = arrived.type and known.value = arrived.value
