{# The moment that the run speaks for: the var `as_of`, else the run's start. #}
{% macro as_of() -%}
    cast('{{ var("as_of") or run_started_at }}' as {{ type_timestamptz() }})
{%- endmacro %}
