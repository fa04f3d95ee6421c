-- Grain: one row for each event that carries identifiers: the key of the set of them. Where a rule
-- has a window, the same set may have another outcome later, so each event is a set of its own; one
-- identifier alone breaks no limit at any time.
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
        {{ dbt.listagg(
            dbt.concat(['cast(length(value) as ' ~ dbt.type_string() ~ ')', "':'", 'type', "':'", 'value']),
            "'|'",
            'order by type, value'
        ) }} as identifiers,
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
    {% if identity_windows() -%}
    case
        when identifier_count = 1 then {{ dbt.hash('identifiers') }}
        else {{ dbt.concat([dbt.hash('identifiers'), "'@'", 'cast(_seq as ' ~ dbt.type_string() ~ ')']) }}
    end as set_key
    {%- else -%}
    {{ dbt.hash('identifiers') }} as set_key
    {%- endif %}
from carried
