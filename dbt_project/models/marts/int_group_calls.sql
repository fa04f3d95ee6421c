-- Grain: one row for each group call of a user that names a group.
with calls as (
    select * from {{ ref('stg_groups') }}
    where {{ is_group_id('group_id') }}
),

events as (
    select * from {{ ref('events') }}
)

select
    events.canonical_user_id,
    calls.group_id,
    calls.timestamp,
    calls._seq
from calls
inner join events
    on {{ is_event('calls.id', 'calls.received_at', 'group') | indent(4) }}
where events.canonical_user_id is not null
