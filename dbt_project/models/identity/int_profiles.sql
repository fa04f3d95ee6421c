-- Grain: one row for each profile ever created: its id, and which profile it is part of today.
with created as (
    select
        profile,
        segment_id
    from {{ ref('int_identity_log') }}
    where kind = 'create'
)

select
    created.profile,
    created.segment_id,
    coalesce(roots.root, created.profile) as canonical_profile,
    coalesce(canonical.segment_id, created.segment_id) as canonical_user_id
from created
left join {{ ref('int_profile_roots') }} as roots on roots.node = created.profile
left join created as canonical on canonical.profile = roots.root
