-- Grain: one row for each identifier: the canonical user that it belongs to today. The user is
-- named for its oldest identifier, so the name stays until the user is merged into an older one.
with identifiers as (
    select * from {{ ref('int_identifiers') }}
),

components as (
    select * from {{ ref('int_components') }}
),

rooted as (
    select
        identifiers.node,
        coalesce(components.root, identifiers.node) as root
    from identifiers
    left join components on components.node = identifiers.node
)

select
    rooted.node,
    {{ dbt.hash(dbt.concat(['oldest.type', "':'", 'oldest.value'])) }} as canonical_user_id
from rooted
inner join identifiers as oldest on oldest.node = rooted.root
