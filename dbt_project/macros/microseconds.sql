{# A timestamp as whole microseconds since 1970. #}
{% macro microseconds(timestamp) -%}
    {{ return(adapter.dispatch('microseconds')(timestamp)) }}
{%- endmacro %}

{% macro default__microseconds(timestamp) -%}
    epoch_us({{ timestamp }})
{%- endmacro %}

{% macro bigquery__microseconds(timestamp) -%}
    unix_micros({{ timestamp }})
{%- endmacro %}
