-- Grain: one row for each audience and canonical user that is or was in it. Both times are facts
-- of the data (when the order was placed), never of the run that noticed.
with orders as (
    select * from {{ ref('orders') }}
),

running_totals as (
    select
        canonical_user_id,
        currency,
        ordered_at,
        sum(total) over (
            partition by canonical_user_id, currency
            order by ordered_at, order_id
            rows between unbounded preceding and current row
        ) as lifetime_value
    from orders
    where
        canonical_user_id is not null
        and currency is not null
        and total is not null
),

crossings as (
    select
        canonical_user_id,
        currency,
        min(ordered_at) as crossed_at
    from running_totals
    where lifetime_value >= {{ var('big_spender_minimum') }}
    group by canonical_user_id, currency
),

lifetime_values as (
    select * from {{ ref('computed_traits') }}
    where trait = 'lifetime_value'
)

select
    'big_spenders' as audience,
    lifetime_values.canonical_user_id,
    min(crossings.crossed_at) as entered_at,
    cast(null as {{ type_timestamptz() }}) as exited_at
from lifetime_values
inner join crossings
    on
        crossings.canonical_user_id = lifetime_values.canonical_user_id
        and crossings.currency = lifetime_values.currency
where lifetime_values.value >= {{ var('big_spender_minimum') }}
group by lifetime_values.canonical_user_id
