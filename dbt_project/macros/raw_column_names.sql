{# The names of the columns of a raw table, in its order; none if the table does not exist (yet). #}
{% macro raw_column_names(relation) -%}
    {%- set found = load_relation(relation) if execute -%}
    {{ return(adapter.get_columns_in_relation(found) | map(attribute='name') | list if found else []) }}
{%- endmacro %}
