{#
    Predicate over staging rows: they came with a load that this model has not applied yet. Asks
    the loads, never the events' own times, so that late events count and nothing counts twice.
    The days are literals, because only those let the warehouse skip the other days' files; so is
    the first load, since what was loaded before it on those days is skipped then before it is grouped.
    A model that uses this records what it applied: post_hook="{{ record_applied_loads() }}".
#}
{% macro in_new_loads() -%}
    {%- if not is_incremental() -%}
    load_id in (select load_id from {{ ref('int_loads') }})
    {%- else -%}
    {%- set found = run_query('select _date, min(load_id) ' ~ from_new_loads() ~ ' group by _date').columns -%}
    {%- set days = found[0].values() | sort -%}
    {%- if days -%}
    load_id in (select load_id {{ from_new_loads() }})
    and load_id >= {{ found[1].values() | min | int }}
    and _date in ({{ date_literals(days) }})
    {%- else -%}
    false
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Predicate over rows of `events`: the same, for a model that builds on its own table. #}
{% macro in_newly_loaded_events() -%}
    load_id in (select load_id {{ from_new_loads() }})
    and {{ received_on(new_days()) }}
{%- endmacro %}

{# The days that the loads which this model has not applied yet wrote to, ascending. #}
{% macro new_days() -%}
    {{ return(run_query('select distinct _date ' ~ from_new_loads()).columns[0].values() | sort) }}
{%- endmacro %}

{% macro from_new_loads() -%}
    from {{ ref('int_loads') }}
    where load_id not in (
        select load_id from {{ ref('int_applied_loads') }} where model_name = '{{ this.identifier }}'
    )
{%- endmacro %}

{# `days` as a list of SQL literals. #}
{% macro date_literals(days) -%}
    date '{{ days | join("', date '") }}'
{%- endmacro %}
