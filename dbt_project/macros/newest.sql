{# Aggregate: the non-null `value` in the row with the highest `recency`, or null. #}
{% macro newest(value, recency) -%}
    {{ return(adapter.dispatch('newest')(value, recency)) }}
{%- endmacro %}

{% macro default__newest(value, recency) -%}
    arg_max({{ value }}, {{ recency }})
{%- endmacro %}

{% macro bigquery__newest(value, recency) -%}
    {# it counts a row whose value is null, unless the recency is null too #}
    max_by({{ value }}, case when {{ value }} is not null then {{ recency }} end)
{%- endmacro %}
