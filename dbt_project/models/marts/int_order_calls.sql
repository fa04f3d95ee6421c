-- Grain: one row for each order_id: its newest Order Completed event.
with calls as (
    select
        *,
        min(timestamp) over (partition by order_id) as ordered_at
    from {{ ref('stg_order_completed') }}
    where order_id <> ''
)

select
    order_id,
    id as event_id,
    received_at,
    nullif(upper(trim(currency, ' ')), '') as currency,
    total,
    revenue,
    products,
    ordered_at
from calls
where true
qualify row_number() over (partition by order_id order by timestamp desc, _seq desc) = 1
