{#
    Select: `columns` of `relation` and, in the column `element`, each element of the array `array` of its
    expressions. Where cross_join_array() joins to arrays that rows hold, this makes rows of columns:
    DuckDB takes 60 times as long if that is a join.
#}
{% macro select_each_element(array, element, columns, relation) -%}
    {{ return(adapter.dispatch('select_each_element')(array, element, columns, relation)) }}
{%- endmacro %}

{% macro default__select_each_element(array, element, columns, relation) -%}
    select {{ columns | join(', ') }}, unnest({{ array }}) as {{ element }}
    from {{ relation }}
{%- endmacro %}

{% macro bigquery__select_each_element(array, element, columns, relation) -%}
    select {{ columns | join(', ') }}, {{ element }}
    from {{ relation }}
    cross join unnest({{ array }}) as {{ element }}
{%- endmacro %}
