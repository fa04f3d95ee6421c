{#
    The rules of identity resolution: {limits: {type: {limit, days}}, priority, custom, blocked,
    max_merges, max_mappings}. `days` is none where a limit holds for ever; `priority` has the types
    that are listed, the highest first; limits['*'] is for all that are not.
#}
{% macro identity_rules() -%}
    {%- set given = env_var('HEADWATER_IDENTITY', '') -%}
    {%- set given = fromjson(given) if given else var('identity') -%}
    {%- set days = {'ever': none, 'weekly': 7, 'monthly': 30, 'annually': 365} -%}
    {%- set limits = {} -%}
    {%- for type, rule in given.identifiers.items() -%}
        {%- do limits.update({type: {'limit': rule.limit, 'days': days[rule.window]}}) -%}
    {%- endfor -%}
    {%- set rules = {
        'limits': limits,
        'priority': limits.keys() | reject('equalto', '*') | list,
        'custom': given.custom,
        'blocked': given.blocked,
        'max_merges': given.max_merges,
        'max_mappings': given.max_mappings,
    } -%}
    {{ return(rules) }}
{%- endmacro %}

{#
    The select of (type, rank, max_values, window_microseconds) for each type in the column `type` of
    the relation or subquery `relation_of_types`. Listed types rank first, in their order, then all
    others by their names; a window that is null is without end.
#}
{% macro identity_types(relation_of_types) -%}
    {%- set rules = identity_rules() -%}
    {%- set others = rules.limits['*'] -%}
select
    type,
    row_number() over (order by listed_rank, type) as rank,
    max_values,
    window_microseconds
from (
    select distinct
        type,
        case type
            {%- for type in rules.priority %}
            when '{{ type }}' then {{ loop.index }}
            {%- endfor %}
            else {{ rules.priority | length + 1 }}
        end as listed_rank,
        case type
            {%- for type in rules.priority %}
            when '{{ type }}' then {{ rules.limits[type].limit }}
            {%- endfor %}
            else {{ others.limit }}
        end as max_values,
        case type
            {%- for type in rules.priority %}
            when '{{ type }}' then {{ window_microseconds(rules.limits[type].days) }}
            {%- endfor %}
            else {{ window_microseconds(others.days) }}
        end as window_microseconds
    from {{ relation_of_types }}
) as types
{%- endmacro %}

{% macro window_microseconds(days) -%}
    cast({{ 'null' if days is none else days * 86400000000 }} as {{ dbt.type_bigint() }})
{%- endmacro %}
