-- Grain: one row for each pair of identifiers that an event carried together, with the first event
-- that did: the evidence for every merge. An event's identifiers are linked to its oldest one.
{{ config(
    materialized='incremental',
    unique_key=['node', 'linked_node'],
    cluster_by=['node', 'linked_node'],
    post_hook='{{ record_applied_loads() }}'
) }}

with carried as (
    select
        identifiers.node,
        event_identifiers.event_id,
        event_identifiers._seq,
        min(identifiers.node) over (partition by event_identifiers._seq) as linked_node
    from {{ ref('int_event_identifiers') }} as event_identifiers
    inner join {{ ref('int_identifiers') }} as identifiers
        on
            identifiers.type = event_identifiers.type
            and identifiers.value = event_identifiers.value
    where {{ in_new_loads() }}
)

select
    node,
    linked_node,
    event_id,
    _seq as first_seq
from carried
where
    node <> linked_node
    {%- if is_incremental() %}
    and not exists (
        select 1 from {{ this }} as known
        where known.node = carried.node and known.linked_node = carried.linked_node
    )
    {%- endif %}
qualify row_number() over (partition by node, linked_node order by _seq) = 1
