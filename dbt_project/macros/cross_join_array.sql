{#
    Join clause: one row for each element of the array `array`, in the columns `element` and
    `position` (ascending in the array's order; where it starts differs between warehouses).
#}
{% macro cross_join_array(array, element='element', position='position') -%}
    {{ return(adapter.dispatch('cross_join_array')(array, element, position)) }}
{%- endmacro %}

{% macro default__cross_join_array(array, element, position) -%}
    cross join unnest({{ array }}) with ordinality as elements({{ element }}, {{ position }})
{%- endmacro %}

{% macro bigquery__cross_join_array(array, element, position) -%}
    cross join unnest({{ array }}) as {{ element }} with offset as {{ position }}
{%- endmacro %}

{# How many elements stand before the one at `position`, as cross_join_array() gives it. #}
{% macro array_offset(position) -%}
    {{ return(adapter.dispatch('array_offset')(position)) }}
{%- endmacro %}

{% macro default__array_offset(position) -%}
    {{ position }} - 1
{%- endmacro %}

{% macro bigquery__array_offset(position) -%}
    {{ position }}
{%- endmacro %}
