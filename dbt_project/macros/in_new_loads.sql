{#
    Predicate over staging rows: they came with a load that this model has not applied yet. Asks
    the loads, never the events' own times, so that late events count and nothing counts twice.
    The days are literals, because only those let the warehouse skip the other days' files.
    A model that uses this records what it applied: post_hook="{{ record_applied_loads() }}".
#}
{% macro in_new_loads() -%}
    {%- set loads = ref('int_loads') -%}
    {%- set applied = ref('int_applied_loads') -%}
    {%- if not is_incremental() -%}
    load_id in (select load_id from {{ loads }})
    {%- else -%}
    {%- set new_loads -%}
        select {{ '{column}' }} from {{ loads }}
        where load_id not in (select load_id from {{ applied }} where model_name = '{{ this.identifier }}')
    {%- endset -%}
    {%- set days = run_query(new_loads.replace('{column}', 'distinct _date')).columns[0].values() | sort -%}
    {%- if days -%}
    load_id in ({{ new_loads.replace('{column}', 'load_id') }})
    and _date in (date '{{ days | join("', date '") }}')
    {%- else -%}
    false
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
