-- Grain: one row for each canonical user, computed trait and currency (null where it has none).
with orders as (
    select * from {{ ref('orders') }}
    where canonical_user_id is not null
),

traits as (
    select
        canonical_user_id,
        'orders_count' as trait,
        cast(null as {{ dbt.type_string() }}) as currency,
        {{ money('count(*)') }} as value
    from orders
    group by canonical_user_id

    union all

    select
        canonical_user_id,
        'lifetime_value' as trait,
        currency,
        sum(total) as value
    from orders
    where
        currency is not null
        and total is not null
    group by canonical_user_id, currency
)

select
    canonical_user_id,
    trait,
    currency,
    value,
    {{ as_of() }} as computed_at
from traits
