-- Grain: one row for each override that the models hold by now. Built after all that asks what has
-- changed since.
-- depends_on: {{ ref('int_identity_log') }}
-- depends_on: {{ ref('profile_splits') }}
-- depends_on: {{ ref('sessions') }}
select distinct
    kind,
    type,
    value,
    other_type,
    other_value
from {{ ref('identity_overrides') }}
