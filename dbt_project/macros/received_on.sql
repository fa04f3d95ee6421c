{#
    Predicate over events: received on one of `days`, wherever that spares the scan of the others. On
    DuckDB tables have no partitions.
#}
{% macro received_on(days) -%}
    {{ return(adapter.dispatch('received_on')(days)) }}
{%- endmacro %}

{% macro default__received_on(days) -%}
    true
{%- endmacro %}

{% macro bigquery__received_on(days) -%}
    {{ 'date(received_at) in (' ~ date_literals(days) ~ ')' if days else 'false' }}
{%- endmacro %}
