-- Grain: one row for each canonical user and group that a group call put together, at any time.
with calls as (
    select * from {{ ref('int_group_calls') }}
)

select
    canonical_user_id,
    group_id,
    min(timestamp) as first_seen_at,
    max(timestamp) as last_seen_at
from calls
group by canonical_user_id, group_id
