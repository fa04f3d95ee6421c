-- Grain: one row for each event and place in it that holds an identifier.
{{ config(materialized='view') }}

with calls as (
    select * from {{ ref('int_calls') }}
),

places as (
    select 'user_id' as place, 'user_id' as type
    union all
    select 'anonymous_id', 'anonymous_id'
    union all
    select 'email', 'email'
    union all
    select 'context_traits_email', 'email'
),

found as (
    select
        calls.id as event_id,
        calls.type as event_type,
        calls.received_at,
        case places.place when 'user_id' then 0 when 'anonymous_id' then 1 when 'email' then 2 else 3 end as place,
        places.type,
        case places.place
            when 'user_id' then calls.user_id
            when 'anonymous_id' then calls.anonymous_id
            when 'email' then lower(trim(calls.email, ' '))
            when 'context_traits_email' then lower(trim(calls.context_traits_email, ' '))
        end as value,
        calls.timestamp,
        calls._seq,
        calls.load_id,
        calls._date
    from calls
    cross join places
    where calls.type <> 'alias'
)

select
    event_id,
    event_type,
    type,
    value,
    min(place) as place,
    timestamp,
    received_at,
    _seq,
    load_id,
    _date
from found
where
    value is not null
    and not {{ matches_any('value', var('identity_blocked')) }}
group by event_id, event_type, type, value, timestamp, received_at, _seq, load_id, _date
