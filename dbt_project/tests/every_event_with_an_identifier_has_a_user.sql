-- No event is left without a user whose userId or anonymousId is one that identifies.
select id
from {{ ref('events') }}
where
    {{ in_tested_days(ref('stg_loads')) }}
    and canonical_user_id is null
    and (
        not {{ matches_any('user_id', identity_rules().blocked) }}
        or not {{ matches_any('anonymous_id', identity_rules().blocked) }}
    )
