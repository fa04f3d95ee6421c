-- Grain: one row for each call of any type, with the set of identifiers that it carried. Written
-- once: merges and splits change whose the set is, never the event.
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

event_sets as (
    select * from {{ ref('int_event_sets') }}
    where {{ in_new_loads() }}
),

sets as (
    select
        event_sets._seq,
        sets._seq as set_seq
    from event_sets
    inner join {{ ref('int_identity_sets') }} as sets on sets.set_key = event_sets.set_key
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
    sets.set_seq,
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
left join sets on sets._seq = calls._seq
