-- Grain: one row for each change of the id graph: an id that was created leads to itself, and a merge
-- leads every id that led to the one merged away to the older one.
{{ config(materialized='view') }}

with recursive merges as (
    select
        profile,
        into_profile,
        _seq
    from {{ ref('int_identity_log') }}
    where kind = 'merge'
),

updates as (
    select
        profile,
        profile as into_profile,
        profile as _seq
    from {{ ref('int_profiles') }}

    union all

    select
        updates.profile,
        merges.into_profile,
        merges._seq
    from updates
    inner join merges on merges.profile = updates.into_profile
)

select
    profiles.segment_id,
    into_profiles.segment_id as canonical_segment_id,
    sets.event_type as triggering_event_type,
    sets.event_id as triggering_event_id,
    sets.timestamp,
    updates._seq as seq
from updates
inner join {{ ref('int_profiles') }} as profiles on profiles.profile = updates.profile
inner join {{ ref('int_profiles') }} as into_profiles on into_profiles.profile = updates.into_profile
inner join {{ ref('int_identity_sets') }} as sets on sets._seq = updates._seq
