-- Grain: one row for each call of any type, with the identity node that it was seen under. Written
-- once: merges change what the node stands for (int_canonical_ids), never the event.
{{ config(
    materialized='incremental',
    unique_key='id',
    partition_by=partition_by_day('received_at'),
    cluster_by=['type', 'event'],
    post_hook='{{ record_applied_loads() }}'
) }}

with calls as (
    select * from {{ ref('int_calls') }}
    where {{ in_new_loads() }}
),

newest as (
    select max(_seq) as _seq
    from calls
    group by {{ event_key() }}
),

nodes as (
    select
        event_identifiers._seq,
        min(identifiers.node) as node
    from {{ ref('int_event_identifiers') }} as event_identifiers
    inner join {{ ref('int_identifiers') }} as identifiers
        on
            identifiers.type = event_identifiers.type
            and identifiers.value = event_identifiers.value
    where {{ in_new_loads() }}
    group by event_identifiers._seq
)

select
    calls.id,
    calls.type,
    calls.event,
    calls.event_text,
    calls.name,
    calls.category,
    calls.timestamp,
    calls.received_at,
    calls.user_id,
    calls.anonymous_id,
    nodes.node,
    calls.group_id,
    calls.previous_id,
    coalesce(calls.url, calls.context_page_url) as url,
    coalesce(calls.path, calls.context_page_path) as path,
    coalesce(calls.title, calls.context_page_title) as title,
    coalesce(calls.referrer, calls.context_page_referrer) as referrer,
    coalesce(calls.search, calls.context_page_search) as search,
    calls.source_id,
    calls.load_id,
    calls._seq
from calls
inner join newest on newest._seq = calls._seq
left join nodes on nodes._seq = calls._seq
