-- Grain: one row for each group (account): of each of its traits the value that it has now.
{%- set own = ['group_id', 'first_seen_at', 'last_seen_at'] %}
{%- set traits = trait_columns(ref('stg_groups')) | reject('equalto', 'group_id') | list %}

with calls as (
    select
        *,
        row_number() over (partition by group_id order by timestamp, _seq) as _recency
    from {{ ref('stg_groups') }}
    where {{ is_group_id('group_id') }}
),

said as (
    select
        group_id as _group_id,
        min(timestamp) as _first_seen_at,
        max(timestamp) as _last_seen_at
        {{- newest_said(traits) | indent(4) }}
    from calls
    group by group_id
)

select
    _group_id as group_id,
    _first_seen_at as first_seen_at,
    _last_seen_at as last_seen_at
    {%- for trait in traits %},
    {{ unless_deleted(trait, adapter.quote(trait)) }} as {{ trait_alias(trait, own) }}
    {%- endfor %}
from said
