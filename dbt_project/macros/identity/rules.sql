{# STUB until the extraction package lands #}
{% macro identity_rules() -%}
    {{ return(fromjson(env_var('HEADWATER_IDENTITY', '{"limits": {"user_id": {"limit": 1, "days": null}, "email": {"limit": 5, "days": null}, "*": {"limit": 5, "days": null}}, "priority": ["user_id", "email"], "custom": [], "blocked": ["[0-]*", "-1", "null", "anonymous"], "max_merges": 100, "max_mappings": 1000}'))) }}
{%- endmacro %}

{% macro identity_types(relation) -%}
    {%- set rules = identity_rules() -%}
    select
        type,
        row_number() over (order by case {% for t in rules.priority %} when type = '{{ t }}' then {{ loop.index }} {% endfor %} else 1000 end, type) as rank,
        case type {% for t, l in rules.limits.items() if t != '*' %} when '{{ t }}' then {{ l.limit }} {% endfor %} else {{ rules.limits['*'].limit }} end as max_values,
        cast(case type {% for t, l in rules.limits.items() if t != '*' %} when '{{ t }}' then {{ (l.days * 86400000000) if l.days else 'null' }} {% endfor %} else {{ (rules.limits['*'].days * 86400000000) if rules.limits['*'].days else 'null' }} end as {{ dbt.type_bigint() }}) as window_microseconds
    from (select distinct type from {{ relation }}) as types
{%- endmacro %}
