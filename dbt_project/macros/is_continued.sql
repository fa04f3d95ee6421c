{#
    Whether a model of the materialization `table` builds on the table that is there: it has the columns
    `columns`, in their order, and no full refresh was asked for. Such a model selects the rows that
    it keeps from `this`, and so replaces and deletes any others in the one statement that every
    warehouse runs whole or not at all. For tables that are small beside what they are made from.
#}
{% macro is_continued(columns) -%}
    {{ return(not should_full_refresh() and raw_column_names(this) == columns) }}
{%- endmacro %}
