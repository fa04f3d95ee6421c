{#
    A seed on DuckDB: CSV as RFC 4180 has it, and as BigQuery reads it. dbt-duckdb lets DuckDB guess at
    quotes and delimiters, by values that come from events.
#}
{% macro duckdb__load_csv_rows(model, agate_table) -%}
    {%- set delimiter = config.get('delimiter', ',') -%}
    {%- set sql -%}
        copy {{ this }} from '{{ adapter.get_seed_file_path(model) | replace("'", "''") }}' (
            format csv, header true, auto_detect false, nullstr '',
            delimiter '{{ delimiter }}', quote '"', escape '"'
        )
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{- return(sql) -}}
{%- endmacro %}
