-- Grain: one row for each distinct set of identifiers, with the first event that carried it. The
-- same set again changes nothing, so identity is resolved from these events alone.
{{ config(
    materialized='incremental',
    unique_key='set_key',
    cluster_by=['set_key'],
    post_hook='{{ record_applied_loads() }}'
) }}

with arrived as (
    select * from {{ ref('int_event_sets') }}
    where {{ in_new_loads() }}
)

select
    _seq,
    set_key,
    event_id,
    event_type,
    timestamp,
    received_at,
    load_id,
    _date
from arrived
{%- if is_incremental() %}
where not exists (select 1 from {{ this }} as known where known.set_key = arrived.set_key)
{%- else %}
where true
{%- endif %}
qualify row_number() over (partition by set_key order by _seq) = 1
