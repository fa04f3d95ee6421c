-- Grain: one row for each load, raw table that it wrote to, and day in that table.
{%- set columns = {
    'load_id': dbt.type_bigint(),
    'commit_order': dbt.type_bigint(),
    'first_seq': dbt.type_bigint(),
    'committed_at': type_timestamptz(),
    'table_name': dbt.type_string(),
} %}
{%- set found = raw_column_names(source('raw', 'loads')) %}

select
    {%- for name, type in columns.items() %}
    {{ 'loads.' ~ name if name in found else 'cast(null as ' ~ type ~ ')' }} as {{ name }},
    {%- endfor %}
    {% if found -%}
    touched_date as _date
from {{ source('raw', 'loads') }} as loads
{{ cross_join_array('loads.dates', element='touched_date') }}
    {%- else -%}
    cast(null as date) as _date
limit 0
    {%- endif %}
