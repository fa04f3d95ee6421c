-- Grain: one row for each identifier ever seen; many identifiers make one user.
-- Built after profile_splits has compared it with what is new.
-- depends_on: {{ ref('profile_splits') }}
with identifiers as (
    select * from {{ ref('int_identifiers') }}
),

canonical_ids as (
    select * from {{ ref('int_canonical_ids') }}
)

select
    canonical_ids.canonical_user_id,
    identifiers.type,
    identifiers.value,
    identifiers.first_seen_at,
    identifiers.last_seen_at
from identifiers
inner join canonical_ids on canonical_ids.node = identifiers.node
