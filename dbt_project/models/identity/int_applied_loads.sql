-- Grain: one row for each incremental model and load that it holds.
-- Starts empty; record_applied_loads() adds the rows, in the transaction of the model they tell of.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select
    cast(null as {{ dbt.type_string() }}) as model_name,
    cast(null as {{ dbt.type_bigint() }}) as load_id
limit 0
