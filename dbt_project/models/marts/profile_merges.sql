-- Grain: one row for each id that was merged away, with the event that did it, or `override` for one
-- that identity_overrides.csv merges.
{{ config(materialized='view') }}

with outcomes as (
    select * from {{ ref('int_identity_log') }}
    where kind = 'merge'
),

profiles as (
    select * from {{ ref('int_profiles') }}
),

sets as (
    select * from {{ ref('int_identity_sets') }}
),

merges as (
    select
        _seq,
        profile,
        into_profile
    from outcomes

    union all

    select
        cast(null as {{ dbt.type_bigint() }}) as _seq,
        profiles.profile,
        profiles.canonical_profile as into_profile
    from profiles
    left join outcomes on outcomes.profile = profiles.profile
    where
        profiles.profile <> profiles.canonical_profile
        and outcomes.profile is null
)

select
    profiles.segment_id,
    into_profiles.segment_id as canonical_segment_id,
    coalesce(sets.event_type, 'override') as triggering_event_type,
    sets.event_id as triggering_event_id,
    sets.timestamp,
    merges._seq as seq
from merges
inner join profiles on profiles.profile = merges.profile
inner join profiles as into_profiles on into_profiles.profile = merges.into_profile
left join sets on sets._seq = merges._seq
