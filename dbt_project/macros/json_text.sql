{# The text of the scalar at `key` of a JSON object, or null. #}
{% macro json_text(object, key) -%}
    {{ return(adapter.dispatch('json_text')(object, key)) }}
{%- endmacro %}

{% macro default__json_text(object, key) -%}
    json_extract_string({{ object }}, '$."{{ key }}"')
{%- endmacro %}

{% macro bigquery__json_text(object, key) -%}
    json_value({{ object }}, '$."{{ key }}"')
{%- endmacro %}
