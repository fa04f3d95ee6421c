-- Grain: one row for each load and day that it wrote to, as of the moment this run began to read.
-- A table, so that every model of the run applies the same loads while new ones go on arriving.
with loads as (
    select * from {{ ref('stg_loads') }}
)

select
    load_id,
    min(commit_order) as commit_order,
    min(first_seq) as first_seq,
    _date
from loads
group by load_id, _date
