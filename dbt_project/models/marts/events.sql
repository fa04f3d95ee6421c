-- Grain: one row for each call of any type. A view, so that every event, however old, shows the
-- canonical user that its identifiers belong to today.
{{ config(materialized='view') }}

with events as (
    select * from {{ ref('int_events') }}
),

canonical_ids as (
    select * from {{ ref('int_canonical_ids') }}
)

select
    events.id,
    events.type,
    events.event,
    events.event_text,
    events.name,
    events.category,
    events.timestamp,
    events.received_at,
    events.user_id,
    events.anonymous_id,
    canonical_ids.canonical_user_id,
    events.group_id,
    events.previous_id,
    events.url,
    events.path,
    events.title,
    events.referrer,
    events.search,
    events.source_id,
    events.load_id
from events
left join canonical_ids on canonical_ids.node = events.node
