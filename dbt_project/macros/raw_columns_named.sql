{#
    The columns of raw's tables that have one of the `names`, as a list of {table_name, column_name,
    data_type}, by name; none if raw does not exist (yet).
#}
{% macro raw_columns_named(names) -%}
    {%- set raw = source('raw', 'tracks') -%}
    {%- set columns = [] -%}
    {%- if execute and adapter.check_schema_exists(raw.database, raw.schema) -%}
        {%- set query -%}
            select table_name, column_name, data_type
            from {{ columns_catalog(raw) }}
            where
                table_catalog = '{{ raw.database }}'
                and table_schema = '{{ raw.schema }}'
                and column_name in ('{{ names | join("', '") }}')
            order by table_name, column_name
        {%- endset -%}
        {%- for row in run_query(query) -%}
            {%- do columns.append({'table_name': row[0], 'column_name': row[1], 'data_type': row[2]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro columns_catalog(relation) -%}
    {{ return(adapter.dispatch('columns_catalog')(relation)) }}
{%- endmacro %}

{% macro default__columns_catalog(relation) -%}
    information_schema.columns
{%- endmacro %}

{% macro bigquery__columns_catalog(relation) -%}
    {{ adapter.quote(relation.database) }}.{{ adapter.quote(relation.schema) }}.INFORMATION_SCHEMA.COLUMNS
{%- endmacro %}
