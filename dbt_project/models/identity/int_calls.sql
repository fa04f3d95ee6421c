-- Grain: one row for each call of any type.
{{ config(materialized='view') }}

{%- set own_columns = {
    'track': ['event', 'event_text'],
    'identify': ['email'],
    'page': ['name', 'category', 'url', 'path', 'title', 'referrer', 'search'],
    'screen': ['name', 'category'],
    'group': ['group_id'],
    'alias': ['previous_id'],
} %}
{%- set models = {
    'track': ref('stg_tracks'),
    'identify': ref('stg_identifies'),
    'page': ref('stg_pages'),
    'screen': ref('stg_screens'),
    'group': ref('stg_groups'),
    'alias': ref('stg_aliases'),
} %}
{%- for type, own in own_columns.items() %}
select
    '{{ type }}' as type,
    {%- for name in call_columns() %}
    {{ name }},
    {%- endfor %}
    {%- for name in own_columns.values() | sum(start=[]) | unique %}
    {{ name if name in own else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as {{ name }},
    {%- endfor %}
    _date
from {{ models[type] }}
{%- if not loop.last %}

union all
{% endif %}
{%- endfor %}
