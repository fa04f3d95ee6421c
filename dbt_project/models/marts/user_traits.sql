-- Grain: one row for each canonical user and trait that the user has now, with the event that gave it.
{%- set records = [] %}
{%- for trait in trait_columns(ref('stg_identifies')) %}
    {%- do records.append(struct_of({
        'name': "'" ~ trait_name(trait) ~ "'",
        'value': 'cast(' ~ adapter.quote(trait) ~ ' as ' ~ dbt.type_string() ~ ')',
        'recency': given_by(trait),
    })) %}
{%- endfor %}

with traits as (
    select * from {{ ref('int_user_traits') }}
),

calls as (
    select * from {{ ref('int_identify_calls') }}
),

listed as (
    {{ select_each_element(
        '[\n        ' ~ records | join(',\n        ') ~ '\n    ]', 'trait', ['_canonical_user_id'], 'traits'
    ) }}
)

select
    calls.canonical_user_id,
    listed.trait.name as name,
    listed.trait.value as value,
    calls.event_id,
    'identify' as event_type,
    calls.timestamp,
    calls.received_at,
    calls._seq as seq
from listed
inner join calls
    on
        calls.canonical_user_id = listed._canonical_user_id
        and calls.recency = listed.trait.recency
