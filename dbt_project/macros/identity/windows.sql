{# The widths of the windows that the rules count in, in microseconds; none if all count for ever. #}
{% macro identity_windows() -%}
    {%- set widths = [] -%}
    {%- for limit in identity_rules().limits.values() if limit.days -%}
        {%- do widths.append(limit.days * 86400000000) -%}
    {%- endfor -%}
    {{ return(widths | unique | sort) }}
{%- endmacro %}
