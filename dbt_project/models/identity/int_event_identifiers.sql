-- Grain: one row for each identifier of a user that an event carries. An alias call carries none.
{{ config(materialized='view') }}

{%- set found = identifier_columns() %}
{%- set in_raw = found | map(attribute='column_name') | list %}
{%- set device_type = 'lower(calls.context_device_type)' %}
{%- set of_phones = 'case when ' ~ device_type ~ " in ('android', 'ios') then " %}
{%- set of_tracked_phones = of_phones ~ "case when lower(calls.context_device_ad_tracking_enabled) = 'true' then " %}
{#- The column of each place, the type and the value of what stands there. #}
{%- set places = [
    ('user_id', "'user_id'", 'calls.user_id'),
    ('anonymous_id', "'anonymous_id'", 'calls.anonymous_id'),
    ('email', "'email'", 'calls.email'),
    ('context_traits_email', "'email'", 'nullif(calls.context_traits_email, calls.email)'),
    (
        'context_device_id',
        dbt.concat([device_type, "'.id'"]),
        of_phones ~ 'calls.context_device_id end',
    ),
    (
        'context_device_advertising_id',
        dbt.concat([device_type, "'.idfa'"]),
        of_tracked_phones ~ 'calls.context_device_advertising_id end end',
    ),
    (
        'context_device_token',
        dbt.concat([device_type, "'.push_token'"]),
        of_phones ~ 'calls.context_device_token end',
    ),
    (
        'context_integrations_google_analytics_client_id',
        "'ga_client_id'",
        'calls.context_integrations_google_analytics_client_id',
    ),
] %}
{%- set filled = [] %}
{%- for column, type, value in places if column in ['user_id', 'anonymous_id'] + in_raw %}
    {%- do filled.append((type, value)) %}
{%- endfor %}
{%- set external_type = 'lower(trim(' ~ json_text('external_id', 'type') ~ '))' %}
{%- set has_external_ids = 'context_external_ids' in in_raw %}
{%- set custom = custom_identifier_columns(found) %}

with calls as (
    select
        * replace (
            {{ email_text('email') }} as email,
            {{ email_text('context_traits_email') }} as context_traits_email
        )
    from {{ ref('int_calls') }}
    where type <> 'alias'
),

places as (
    {%- for type, value in filled %}
    select {{ loop.index }} as place
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

found as (
    select
        calls.id as event_id,
        calls.type as event_type,
        case places.place
            {%- for type, value in filled %}
            when {{ loop.index }} then {{ type }}
            {%- endfor %}
        end as type,
        case places.place
            {%- for type, value in filled %}
            when {{ loop.index }} then {{ value }}
            {%- endfor %}
        end as value,
        places.place,
        calls.timestamp,
        calls.received_at,
        calls._seq,
        calls.load_id,
        calls._date
    from calls
    cross join places
    {%- for column in custom %}

    union all

    select
        id as event_id,
        '{{ column.event_type }}' as event_type,
        '{{ column.type }}' as type,
        {{ identifier_value("'" ~ column.type ~ "'", identifier_text(column.column_name, column.data_type)) }} as value,
        {{ column.place }} as place,
        timestamp,
        received_at,
        _seq,
        load_id,
        {{ partition_date() }} as _date
    {{ column.from_calls }}
    where {{ adapter.quote(column.column_name) }} is not null
    {%- endfor %}
    {%- if has_external_ids %}

    union all

    select
        calls.id as event_id,
        calls.type as event_type,
        {{ external_type }} as type,
        {{ identifier_value(external_type, json_text('external_id', 'id')) }} as value,
        1000 + {{ array_offset('position') }} as place,
        calls.timestamp,
        calls.received_at,
        calls._seq,
        calls.load_id,
        calls._date
    from calls
    {{ cross_join_array(json_array('calls.context_external_ids'), element='external_id') }}
    where
        {{ json_text('external_id', 'collection') }} = 'users'
        and {{ json_text('external_id', 'encoding') }} = 'none'
        and length({{ external_type }}) between 1 and 100
        and {{ external_type }} <> 'group_id'
        and {{ array_offset('position') }} < 100
    {%- endif %}
)

select *
from found
where
    length(value) <= 500
    and not {{ matches_any('value', ['\\s*'] + identity_rules().blocked) }}
{#- places in calls never hold the same, others may #}
{%- if custom or has_external_ids %}
qualify row_number() over (partition by _seq, type, value, load_id, _date order by place) = 1
{%- endif %}
