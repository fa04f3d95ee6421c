-- Grain: one row for each canonical user, anonymous ones too.
{%- set own = ['canonical_user_id', 'user_id', 'first_seen_at', 'last_seen_at', 'orders_count'] %}
{%- set traits = trait_columns(ref('stg_identifies')) %}
{%- set currencies = seen_currencies(ref('computed_traits')) %}

with identifiers as (
    select
        identifiers.*,
        canonical_ids.canonical_user_id
    from {{ ref('int_identifiers') }} as identifiers
    inner join {{ ref('int_canonical_ids') }} as canonical_ids
        on canonical_ids.node = identifiers.node
),

sightings as (
    select
        canonical_user_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from identifiers
    group by canonical_user_id
),

first_user_ids as (
    select
        canonical_user_id,
        value as user_id
    from identifiers
    where type = 'user_id'
    qualify row_number() over (partition by canonical_user_id order by node) = 1
),

traits as (
    select * from {{ ref('int_user_traits') }}
),

computed as (
    select
        canonical_user_id,
        max(case when trait = 'orders_count' then value end) as orders_count
        {%- for currency in currencies %},
        max(case when trait = 'lifetime_value' and currency = '{{ currency }}' then value end)
            as lifetime_value_{{ currency | lower }}
        {%- endfor %}
    from {{ ref('computed_traits') }}
    group by canonical_user_id
)

select
    sightings.canonical_user_id,
    first_user_ids.user_id,
    sightings.first_seen_at,
    sightings.last_seen_at,
    cast(coalesce(computed.orders_count, 0) as {{ dbt.type_bigint() }}) as orders_count
    {%- for currency in currencies %},
    computed.lifetime_value_{{ currency | lower }}
    {%- endfor %}
    {%- for trait in traits %},
    traits.{{ adapter.quote(trait) }} as {{ trait_alias(trait, own) }}
    {%- endfor %}
from sightings
left join first_user_ids on first_user_ids.canonical_user_id = sightings.canonical_user_id
left join traits on traits._canonical_user_id = sightings.canonical_user_id
left join computed on computed.canonical_user_id = sightings.canonical_user_id
