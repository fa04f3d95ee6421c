-- Grain: one row for each line of an order. A line that is no object, or a value in it that is no
-- number, comes out null: it is in the order all the same.
with orders as (
    select * from {{ ref('int_order_calls') }}
),

lines as (
    select
        orders.order_id,
        orders.currency,
        line,
        row_number() over (partition by orders.order_id order by position) as line_number
    from orders
    {{ cross_join_array(json_array('orders.products'), element='line') }}
)

select
    order_id,
    line_number,
    {%- for name in ['product_id', 'sku', 'name', 'brand', 'category', 'variant', 'coupon'] %}
    {{ json_text('line', name) }} as {{ name }},
    {%- endfor %}
    {{ money(json_text('line', 'price')) }} as price,
    {{ money(json_text('line', 'quantity')) }} as quantity,
    currency
from lines
