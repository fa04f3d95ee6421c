-- Grain: one row for each load, raw table that it wrote to, and day in that table.
with loads as (
    select * from {{ source('raw', 'loads') }}
)

select
    loads.load_id,
    loads.committed_at,
    loads.table_name,
    touched_date as _date
from loads
{{ cross_join_array('loads.dates', element='touched_date') }}
