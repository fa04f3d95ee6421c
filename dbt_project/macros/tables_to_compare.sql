{# The raw tables that together have every messageId; none while a single loader has written. #}
{% macro tables_to_compare() -%}
    {%- set tables = [] -%}
    {%- for name in ['tracks', 'identifies', 'pages', 'screens', 'groups', 'aliases'] -%}
        {%- set table = source('raw', name) -%}
        {%- if raw_column_names(table) -%}
            {%- do tables.append(table) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set loads = load_relation(ref('int_loads')) if execute -%}
    {%- set loaders = query_value('select count(distinct loader) from ' ~ committed_loads()) if loads else 0 -%}
    {{ return(tables if loaders > 1 else []) }}
{%- endmacro %}

{# The days `days` and those up to `width` days before and after each (years 1 to 9999), ascending. #}
{% macro days_around(days, width) -%}
    {%- set around = [] -%}
    {%- for day in days -%}
        {%- for offset in range(-width, width + 1) -%}
            {%- set ordinal = [1, day.toordinal() + offset, 3652059] | sort -%}
            {%- do around.append(modules.datetime.date.fromordinal(ordinal[1])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(around | unique | sort) }}
{%- endmacro %}
