-- Grain: one row for each order_id; an order that is sent again replaces its values.
with calls as (
    select * from {{ ref('int_order_calls') }}
),

refunds as (
    select
        order_id,
        min(timestamp) as refunded_at
    from {{ ref('stg_order_refunded') }}
    group by order_id
),

events as (
    select * from {{ ref('events') }}
)

select
    calls.order_id,
    events.canonical_user_id,
    calls.currency,
    calls.total,
    calls.revenue,
    calls.ordered_at,
    refunds.refunded_at
from calls
left join events
    on {{ is_event('calls.event_id', 'calls.received_at', 'track', 'order_completed') | indent(4) }}
left join refunds on refunds.order_id = calls.order_id
