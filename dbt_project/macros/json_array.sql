{# The elements of a text that holds a JSON array, as an array of JSON; null for any other text. #}
{% macro json_array(text) -%}
    {{ return(adapter.dispatch('json_array')(text)) }}
{%- endmacro %}

{% macro default__json_array(text) -%}
    json_extract(try_cast({{ text }} as json), '$[*]')
{%- endmacro %}

{% macro bigquery__json_array(text) -%}
    {%- set parsed = "safe.parse_json(" ~ text ~ ", wide_number_mode => 'round')" -%}
    case when json_type({{ parsed }}) = 'array' then json_query_array({{ parsed }}) end
{%- endmacro %}
