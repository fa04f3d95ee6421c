{%- set blocked = ['\\s*'] + identity_rules().blocked -%}
-- No event is left without a user whose userId or anonymousId is one that identifies.
select id
from {{ ref('events') }}
where
    {{ in_tested_days(ref('stg_loads')) }}
    and canonical_user_id is null
    and type <> 'alias'
    and (
        not {{ matches_any('user_id', blocked) }}
        or not {{ matches_any('anonymous_id', blocked) }}
    )
