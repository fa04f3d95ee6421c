{#
    Selects from the raw table `relation` the columns of every call, those named in `text` and
    `amounts`, and with `traits` whatever else the table has. What raw does not have (a column not
    seen yet, or the whole table) comes out typed and null or empty, so that no build depends on
    which events have arrived.
#}
{% macro select_calls(relation, text=[], amounts=[], traits=false) -%}
    {%- set found = raw_column_names(relation) -%}
    {%- set columns = call_columns() -%}
    {#- asked for in any case, since dbt learns from it what the model reads -#}
    {%- set from_calls = from_committed_calls(relation) -%}
    {%- for name in text -%}
        {%- do columns.update({name: dbt.type_string()}) -%}
    {%- endfor -%}
select
    {%- for name, type in columns.items() %}
    {{ dbt.safe_cast(adapter.quote(name) if name in found else 'null', type) }} as {{ adapter.quote(name) }},
    {%- endfor %}
    {%- for name in amounts %}
    {{ money(adapter.quote(name) if name in found else 'null') }} as {{ adapter.quote(name) }},
    {%- endfor %}
    {%- if traits %}
    {%- for name in found if is_trait(name) and name not in columns %}
    {{ adapter.quote(name) }},
    {%- endfor %}
    {%- endif %}
    {% if found -%}
    {{ partition_date() }} as _date
{{ from_calls }}
    {%- else -%}
    cast(null as date) as _date
limit 0
    {%- endif %}
{%- endmacro %}
