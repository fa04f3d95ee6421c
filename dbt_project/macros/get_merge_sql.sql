{#
    Overrides dbt's: a merge into a table that is partitioned by day reads, and may change, only the
    days of the loads that are new to it, and a row replaces only one of its own day. dbt takes such
    conditions from a model's config, which is fixed before anybody knows the days.
#}
{% macro bigquery__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set predicates = [] + (incremental_predicates or []) -%}
    {%- set partition = config.get('partition_by') -%}
    {%- if partition -%}
        {%- set day = 'date(DBT_INTERNAL_DEST.' ~ partition.field ~ ')' -%}
        {%- set days = new_days() -%}
        {%- do predicates.append(day ~ ' in (' ~ date_literals(days) ~ ')' if days else 'false') -%}
        {%- do predicates.append(day ~ ' = date(DBT_INTERNAL_SOURCE.' ~ partition.field ~ ')') -%}
    {%- endif -%}
    {{ return(default__get_merge_sql(target, source, unique_key, dest_columns, predicates)) }}
{%- endmacro %}
