{#
    The newest call that says something of a trait decides: a value sets it, a null deletes it, and
    what a call does not say it leaves as it was. A value may be "". Two steps, so that a model can
    show both the values and which calls gave them.
#}

{#
    Aggregates over calls, for each of `traits`: its newest value, and the highest `_recency` of a call
    that gave it one (`_given_<trait>`) or deleted it (`_deleted_<trait>`).
#}
{% macro newest_said(traits) -%}
    {%- for trait in traits %},
    {{ newest('calls.' ~ adapter.quote(trait), '_recency') }} as {{ adapter.quote(trait) }},
    max(case when calls.{{ adapter.quote(trait) }} is not null then _recency end) as {{ given_by(trait) }},
    max(case when strpos(_nulls, '"{{ trait_name(trait) }}"') > 0 then _recency end)
        as {{ adapter.quote('_deleted_' ~ trait) }}
    {%- endfor %}
{%- endmacro %}

{# Over the outcome of newest_said(): `value` unless the trait is deleted, null then. #}
{% macro unless_deleted(trait, value) -%}
    case when coalesce({{ adapter.quote('_deleted_' ~ trait) }}, 0) <= {{ given_by(trait) }} then {{ value }} end
{%- endmacro %}

{# The column that tells which call gave a trait its value. No trait's name begins with `_g`. #}
{% macro given_by(trait) -%}
    {{ return(adapter.quote('_given_' ~ trait)) }}
{%- endmacro %}

{# What raw calls the trait of a column: BigQuery has `_` before a name that begins with a digit. #}
{% macro trait_name(column) -%}
    {{ return(column.lstrip('_')) }}
{%- endmacro %}
