-- Grain: one row for each call of any type. A view, so that every event, however old, shows the
-- canonical user that its identifiers belong to today.
{{ config(materialized='view') }}

with events as (
    select * from {{ ref('int_events') }}
),

owners as (
    select
        outcomes._seq,
        profiles.canonical_user_id
    from {{ ref('int_identity_log') }} as outcomes
    inner join {{ ref('int_profiles') }} as profiles on profiles.profile = outcomes.profile
    where outcomes.kind = 'event'
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
    owners.canonical_user_id,
    events.group_id,
    events.previous_id,
    events.url,
    events.path,
    events.title,
    events.referrer,
    events.search,
    events.source_id,
    events.load_id,
    events.set_seq
from events
left join owners on owners._seq = events.set_seq
