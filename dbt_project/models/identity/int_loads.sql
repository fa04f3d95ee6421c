-- Grain: one row for each load and day that it wrote to, as of the moment this run began to read.
-- A table, so that every model of the run applies the same loads while new ones go on arriving.
with loads as (
    select * from {{ ref('stg_loads') }}
)

select distinct
    load_id,
    _date
from loads
