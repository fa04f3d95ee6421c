-- Grain: one row for each outcome of resolving a set of identifiers (`_seq`): kind
--   create  the event created `profile`, whose oldest identifier is `node` and whose id is `segment_id`
--   attach  the identifier `node` became one of `profile`
--   merge   `profile` became part of the older `into_profile`
--   demote  the identifier `node` did not count, because of `reason`
--   event   the event, and each with the same set, belongs to `profile`
--   left    the event waits for the next run, because its turn comes after too many others
-- depends_on: {{ ref('int_identity_rules') }}
-- depends_on: {{ ref('identity_overrides') }}
{{ config(
    materialized='identity_resolution',
    cluster_by=['kind', '_seq'],
    post_hook='{{ record_applied_loads() }}'
) }}

select
    evidence._seq,
    evidence.node,
    evidence.place,
    identifiers.type,
    {{ microseconds('sets.received_at') }} as attached_at
from {{ ref('int_identity_evidence') }} as evidence
inner join {{ ref('int_identity_sets') }} as sets on sets._seq = evidence._seq
inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = evidence.node
