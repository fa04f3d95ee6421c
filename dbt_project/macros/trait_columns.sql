{# The names of the columns of a staging model that hold traits. #}
{% macro trait_columns(relation) -%}
    {%- set traits = [] -%}
    {%- for column in (adapter.get_columns_in_relation(relation) if execute else []) if is_trait(column.name) -%}
        {%- do traits.append(column.name) -%}
    {%- endfor -%}
    {{ return(traits) }}
{%- endmacro %}
