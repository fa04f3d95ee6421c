{# dbt-duckdb has no safe_cast of its own, and dbt's default raises on a value that does not fit. #}
{% macro duckdb__safe_cast(field, type) -%}
    try_cast({{ field }} as {{ type }})
{%- endmacro %}
