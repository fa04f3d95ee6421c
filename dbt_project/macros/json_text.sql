{# The text of the scalar at `key` of a JSON object, or null. #}
{% macro json_text(object, key) -%}
    {{ return(adapter.dispatch('json_text')(object, key)) }}
{%- endmacro %}

{% macro default__json_text(object, key) -%}
    {#- of an object or an array it gives the JSON -#}
    case
        when json_type({{ object }}, '$."{{ key }}"') not in ('OBJECT', 'ARRAY')
            then json_extract_string({{ object }}, '$."{{ key }}"')
    end
{%- endmacro %}

{% macro bigquery__json_text(object, key) -%}
    json_value({{ object }}, '$."{{ key }}"')
{%- endmacro %}
