-- Grain: one row for each set of identifiers and identifier in it: the evidence for every merge.
{{ config(
    materialized='incremental',
    unique_key=['_seq', 'node'],
    cluster_by=['_seq'],
    post_hook='{{ record_applied_loads() }}'
) }}

with sets as (
    select _seq from {{ ref('int_identity_sets') }}
    where {{ in_new_loads() }}
),

carried as (
    select * from {{ ref('int_event_identifiers') }}
    where {{ in_new_loads() }}
)

select
    carried._seq,
    identifiers.node,
    carried.place
from carried
inner join sets on sets._seq = carried._seq
inner join {{ ref('int_identifiers') }} as identifiers
    on
        identifiers.type = carried.type
        and identifiers.value = carried.value
