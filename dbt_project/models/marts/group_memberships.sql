-- Grain: one row for each canonical user and group that a group call put together.
with events as (
    select * from {{ ref('events') }}
)

select
    canonical_user_id,
    group_id,
    min(timestamp) as first_seen_at,
    max(timestamp) as last_seen_at
from events
where
    type = 'group'
    and canonical_user_id is not null
    and group_id <> ''
group by canonical_user_id, group_id
