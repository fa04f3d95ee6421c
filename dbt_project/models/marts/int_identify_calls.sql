-- Grain: one row for each identify call of a user, numbered in the order in which the user's calls
-- happened: the order that decides which value a trait has.
with identifies as (
    select * from {{ ref('stg_identifies') }}
),

events as (
    select * from {{ ref('events') }}
)

select
    events.canonical_user_id,
    row_number() over (
        partition by events.canonical_user_id
        order by identifies.timestamp, identifies._seq
    ) as recency,
    identifies.id as event_id,
    identifies.timestamp,
    identifies.received_at,
    identifies._seq
from identifies
inner join events
    on {{ is_event('identifies.id', 'identifies.received_at', 'identify') | indent(4) }}
where events.canonical_user_id is not null
