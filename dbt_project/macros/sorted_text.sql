{# Aggregate: the texts `value`, sorted, with `|` between them. #}
{% macro sorted_text(value) -%}
    {{ return(adapter.dispatch('sorted_text')(value)) }}
{%- endmacro %}

{# DuckDB takes three times as long to aggregate in order as to sort what it has aggregated. #}
{% macro default__sorted_text(value) -%}
    array_to_string(list_sort(list({{ value }})), '|')
{%- endmacro %}

{% macro bigquery__sorted_text(value) -%}
    string_agg({{ value }}, '|' order by {{ value }})
{%- endmacro %}
