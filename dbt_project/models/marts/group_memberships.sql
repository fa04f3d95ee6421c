-- Grain: one row for each canonical user, group and stretch of time in which the user's latest group
-- call named it. A user's stretches follow each other without a gap: at any moment there is one.
with calls as (
    select * from {{ ref('int_group_calls') }}
    where true
    -- of several at one moment the last to arrive counts
    qualify row_number() over (partition by canonical_user_id, timestamp order by _seq desc) = 1
),

compared as (
    select
        *,
        lag(group_id) over (partition by canonical_user_id order by timestamp) as former_group_id
    from calls
),

stretches as (
    select
        canonical_user_id,
        group_id,
        timestamp as valid_from,
        lead(timestamp) over (partition by canonical_user_id order by timestamp) as valid_to
    from compared
    where former_group_id is null or former_group_id <> group_id
)

select
    canonical_user_id,
    group_id,
    valid_from,
    valid_to,
    valid_to is null as is_current
from stretches
