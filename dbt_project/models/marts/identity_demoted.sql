-- Grain: one row for each event and identifier that it carried and that did not count: `limit` (the
-- user would have had too many of its type), `full` (the user's profile takes no more) or `override`.
{{ config(materialized='view') }}

select
    events.id as event_id,
    events.type as event_type,
    identifiers.type,
    identifiers.value,
    outcomes.reason,
    events.canonical_user_id,
    events.timestamp
from {{ ref('int_identity_log') }} as outcomes
inner join {{ ref('events') }} as events on events.set_seq = outcomes._seq
inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = outcomes.node
where outcomes.kind = 'demote'
