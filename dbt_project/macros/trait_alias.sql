{#
    The column that a mart gives to a trait: the trait's own name, or with `_trait` after it where
    the mart's `own` columns or its lifetime values have that name. Also a trait whose name ends in
    `_trait` already gets one more there, so that two traits never meet in one column.
#}
{% macro trait_alias(trait, own) -%}
    {%- set stem = modules.re.sub('(_trait)+$', '', trait) -%}
    {%- set taken = stem in own or stem.startswith('lifetime_value_') -%}
    {{ return(adapter.quote(trait ~ '_trait' if taken else trait)) }}
{%- endmacro %}
