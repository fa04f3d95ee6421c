-- Grain: one row for each group (account): the newest value of each of its traits.
{%- set own = ['group_id', 'first_seen_at', 'last_seen_at'] %}
{%- set traits = trait_columns(ref('stg_groups')) | reject('equalto', 'group_id') | list %}

with calls as (
    select
        *,
        row_number() over (partition by group_id order by timestamp, _seq) as _recency
    from {{ ref('stg_groups') }}
    where group_id <> ''
)

select
    group_id,
    min(timestamp) as first_seen_at,
    max(timestamp) as last_seen_at
    {%- for trait in traits %},
    {{ newest('calls.' ~ adapter.quote(trait), '_recency') }} as {{ trait_alias(trait, own) }}
    {%- endfor %}
from calls
group by group_id
