{#
    `value` as an exact decimal with nine places, or null if it is no number. An amount of 10^18 or
    more is no money either: one such event must not make every later sum overflow.
#}
{% macro money(value) -%}
    {{ return(adapter.dispatch('money')(value)) }}
{%- endmacro %}

{% macro default__money(value) -%}
    cast({{ dbt.safe_cast(value, 'decimal(27, 9)') }} as decimal(38, 9))
{%- endmacro %}

{% macro bigquery__money(value) -%}
    {# safe_cast takes no parameters of a type there #}
    case when abs({{ dbt.safe_cast(value, 'numeric') }}) < 1e18 then {{ dbt.safe_cast(value, 'numeric') }} end
{%- endmacro %}
