{# Aggregate: the non-null `value` in the row with the highest `recency`, or null. #}
{% macro newest(value, recency) -%}
    {{ return(adapter.dispatch('newest')(value, recency)) }}
{%- endmacro %}

{% macro default__newest(value, recency) -%}
    arg_max({{ value }}, {{ recency }})
{%- endmacro %}

{% macro bigquery__newest(value, recency) -%}
    array_agg({{ value }} ignore nulls order by {{ recency }} desc limit 1)[safe_offset(0)]
{%- endmacro %}
