-- Grain: one row for each profile ever created: what it is called, and which profile it is part of
-- today. It is named for the oldest identifier of the event that created it, so its name never
-- changes, and comes back when a merge is undone.
with outcomes as (
    select * from {{ ref('int_identity_log') }}
    where kind = 'attach'
),

created as (
    select
        profile,
        min(node) as node
    from outcomes
    where _seq = profile
    group by profile
),

named as (
    select
        created.profile,
        {{ dbt.hash(dbt.concat(['identifiers.type', "':'", 'identifiers.value'])) }} as segment_id
    from created
    inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = created.node
)

select
    named.profile,
    named.segment_id,
    coalesce(roots.root, named.profile) as canonical_profile,
    coalesce(canonical.segment_id, named.segment_id) as canonical_user_id
from named
left join {{ ref('int_profile_roots') }} as roots on roots.node = named.profile
left join named as canonical on canonical.profile = roots.root
