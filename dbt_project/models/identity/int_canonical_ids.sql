-- Grain: one row for each identifier that identifies somebody: the canonical user that it belongs to
-- today.
{{ config(materialized='view') }}

select
    outcomes.node,
    profiles.canonical_user_id
from {{ ref('int_identity_log') }} as outcomes
inner join {{ ref('int_profiles') }} as profiles on profiles.profile = outcomes.profile
where outcomes.kind = 'attach'
