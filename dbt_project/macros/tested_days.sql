{#
    Predicate over calls: received on a day that is tested, because one of `loads` (stg_loads) of the
    last `tested_days` wrote to it. A test of all days would cost more than the models do. On
    DuckDB all are tested.
#}
{% macro in_tested_days(loads) -%}
    {{ return(adapter.dispatch('in_tested_days')(loads)) }}
{%- endmacro %}

{% macro default__in_tested_days(loads) -%}
    true
{%- endmacro %}

{% macro bigquery__in_tested_days(loads) -%}
    {%- set query -%}
        select distinct _date from {{ loads }}
        where committed_at >= timestamp_sub(timestamp '{{ run_started_at }}', interval {{ var('tested_days') or 0 }} day)
    {%- endset -%}
    {%- if var('tested_days') is none -%}
    true
    {%- else -%}
    {%- set days = run_query(query).columns[0].values() | sort if execute else [] -%}
    {{ received_on(days) }}
    {%- endif -%}
{%- endmacro %}

{# Overrides dbt's: what a generic test reads of the model `relation`. #}
{% macro bigquery__get_where_subquery(relation) -%}
    {%- set of_calls = [
        'stg_tracks', 'stg_identifies', 'stg_pages', 'stg_screens', 'stg_groups', 'stg_aliases',
        'stg_order_completed', 'stg_order_refunded', 'int_events', 'events',
    ] -%}
    {#- dbt takes no ref() here; all of them are built after stg_loads anyway -#}
    {%- set loads = relation.incorporate(path={'identifier': 'stg_loads'}) -%}
    {%- set where = [config.get('where'), in_tested_days(loads) if relation.identifier in of_calls] -%}
    {%- set where = where | select | reject('equalto', 'true') | join(' and ') -%}
    {{ return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') as dbt_subquery' if where else relation) }}
{%- endmacro %}
