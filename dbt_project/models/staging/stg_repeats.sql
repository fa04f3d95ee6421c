-- Grain: one row for each load and messageId in it that a load of another loader, committed earlier,
-- had brought within `repeat_days` of it. Each loader leaves out its own repeats by itself, so with
-- one loader there is nothing to look for. On DuckDB there is only one.
{{ config(
    enabled=target.type == 'bigquery',
    materialized='incremental',
    unique_key=['load_id', 'id'],
    cluster_by='load_id',
    post_hook='{{ record_applied_loads() }}'
) }}

{%- set tables = tables_to_compare() %}
{%- set days = new_days() if is_incremental() %}

{%- if not tables or (is_incremental() and not days) %}

select
    cast(null as {{ dbt.type_bigint() }}) as load_id,
    cast(null as {{ dbt.type_string() }}) as id
limit 0

{%- else %}

with calls as (
    {%- for table in tables %}
    select
        id,
        load_id,
        date(received_at) as _date
    from {{ table }}
    where
        {%- if is_incremental() %}
        date(received_at) in ({{ date_literals(days_around(days, var('repeat_days'))) }})
        {%- else %}
        received_at >= timestamp '0001-01-01 00:00:00+00'
        {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

committed as (
    select
        calls.id,
        calls.load_id,
        calls._date,
        loads.loader,
        loads.commit_order
    from calls
    inner join {{ committed_loads() }} as loads on loads.load_id = calls.load_id
)

select distinct
    later.load_id,
    later.id
from committed as later
inner join committed as earlier on earlier.id = later.id
where
    earlier.commit_order < later.commit_order
    and earlier.loader <> later.loader
    and abs(date_diff(earlier._date, later._date, day)) <= {{ var('repeat_days') }}
    {%- if is_incremental() %}
    and later.load_id in (select load_id {{ from_new_loads() }})
    {%- endif %}

{%- endif %}
