{# The day by which raw tables are partitioned: a filter on it by literal dates skips the rest. #}
{% macro partition_date() -%}
    {{ return(adapter.dispatch('partition_date')()) }}
{%- endmacro %}

{% macro default__partition_date() -%}
    _date
{%- endmacro %}

{% macro bigquery__partition_date() -%}
    date(received_at)
{%- endmacro %}
