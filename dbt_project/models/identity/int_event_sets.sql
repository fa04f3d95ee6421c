-- Grain: one row for each event that carries identifiers: the key of the set of them. Where the same
-- set may have another outcome later, each event is a set of its own; one identifier alone breaks no
-- limit at any time.
{{ config(materialized='view') }}

with carried as (
    select
        _seq,
        event_id,
        event_type,
        timestamp,
        received_at,
        load_id,
        _date,
        {{ sorted_text(dbt.concat([
            "lpad(cast(place as " ~ dbt.type_string() ~ "), 4, '0')",
            "cast(length(value) as " ~ dbt.type_string() ~ ")",
            "':'", 'type', "':'", 'value',
        ])) }} as identifiers,
        count(*) as identifier_count
    from {{ ref('int_event_identifiers') }}
    group by _seq, event_id, event_type, timestamp, received_at, load_id, _date
)

select
    _seq,
    event_id,
    event_type,
    timestamp,
    received_at,
    load_id,
    _date,
    case
        when identifier_count > 1 and {{ sets_may_end_otherwise() | indent(8) }}
            then {{ dbt.concat([dbt.hash('identifiers'), "'@'", 'cast(_seq as ' ~ dbt.type_string() ~ ')']) }}
        else {{ dbt.hash('identifiers') }}
    end as set_key
from carried
