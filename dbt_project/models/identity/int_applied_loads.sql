-- Grain: one row for each incremental model and load that it holds.
-- Starts empty; record_applied_loads() adds the rows, in the transaction of the model they tell of.
-- BigQuery has none over two statements: a run killed between them applies the same loads again, and
-- each of these models then comes out as before, since what it holds already it only replaces.
{{ config(
    materialized='incremental',
    incremental_strategy='merge' if target.type == 'bigquery' else 'append',
    full_refresh=false
) }}

select
    cast(null as {{ dbt.type_string() }}) as model_name,
    cast(null as {{ dbt.type_bigint() }}) as load_id
limit 0
