{# True if one of the regular expressions `patterns` matches the whole of `value`. #}
{% macro matches_any(value, patterns) -%}
    {{ return(adapter.dispatch('matches_any')(value, patterns)) }}
{%- endmacro %}

{% macro default__matches_any(value, patterns) -%}
    {%- if patterns -%}
    regexp_full_match({{ value }}, '(?:{{ patterns | join(')|(?:') | replace("'", "''") }})')
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__matches_any(value, patterns) -%}
    {%- if patterns -%}
    {%- set pattern = patterns | join(')|(?:') | replace('\\', '\\\\') | replace("'", "\\'") -%}
    regexp_contains({{ value }}, '^(?:(?:{{ pattern }}))$')
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}
