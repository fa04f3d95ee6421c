-- Grain: one row for each session: page, screen and track calls of a canonical user without 30
-- minutes between any two that follow each other. Only users of whom anything has changed are
-- looked at again: those of new loads' events, and those who were merged or taken apart. A change of
-- overrides may take events from users whose identifiers stay, so then all are.
-- depends_on: {{ ref('identity_overrides') }}
{{ config(post_hook='{{ record_applied_loads() }}') }}

{%- set columns = [
    'session_id', 'canonical_user_id', 'started_at', 'ended_at', 'events', 'pages', 'first_url', 'group_id',
] %}
{%- set inactivity_microseconds = 30 * 60 * 1000000 %}
{%- set continued = is_continued(columns) and not overrides_have_changed() %}

with all_events as (
    select * from {{ ref('events') }}
),

id_graph as (
    select * from {{ ref('id_graph') }}
),

profile_splits as (
    select * from {{ ref('profile_splits') }}
),

{%- if continued %}

sessions_before as (
    select * from {{ this }}
),

merged_away as (
    select
        sessions_before.canonical_user_id,
        id_graph.canonical_segment_id
    from sessions_before
    left join id_graph on id_graph.segment_id = sessions_before.canonical_user_id
    where
        id_graph.canonical_segment_id is null
        or id_graph.canonical_segment_id <> sessions_before.canonical_user_id
),

named as (
    select canonical_user_id
    from all_events
    where {{ in_newly_loaded_events() | indent(4) }}

    union all

    select canonical_user_id from merged_away

    union all

    select canonical_segment_id from merged_away

    union all

    select segment_id from profile_splits

    union all

    select canonical_segment_id from profile_splits
),

touched as (
    select distinct canonical_user_id
    from named
    where canonical_user_id is not null
),
{%- endif %}

calls as (
    select
        id,
        canonical_user_id,
        type,
        timestamp,
        url,
        row_number() over (partition by canonical_user_id order by timestamp, id) as place,
        lag(timestamp) over (partition by canonical_user_id order by timestamp, id) as previous_at
    from all_events
    where
        type in ('page', 'screen', 'track')
        {%- if continued %}
        and canonical_user_id in (select canonical_user_id from touched)
        {%- else %}
        and canonical_user_id is not null
        {%- endif %}
),

numbered as (
    select
        *,
        count(
            case
                when previous_at is null then 1
                when {{ dbt.datediff('previous_at', 'timestamp', 'microsecond') }} > {{ inactivity_microseconds }} then 1
            end
        ) over (
            partition by canonical_user_id
            order by place
            rows between unbounded preceding and current row
        ) as session_number
    from calls
),

found as (
    select
        canonical_user_id,
        {{ newest('id', '-place') }} as first_event_id,
        min(timestamp) as started_at,
        max(timestamp) as ended_at,
        count(*) as events,
        count(case when type = 'page' then 1 end) as pages,
        {{ newest('url', '-place') }} as first_url
    from numbered
    group by canonical_user_id, session_number
)

select
    {{ dbt.hash('found.first_event_id') }} as session_id,
    found.canonical_user_id,
    found.started_at,
    found.ended_at,
    found.events,
    found.pages,
    found.first_url,
    membership.group_id
from found
{{ join_group_as_of('found', at='started_at') }}
{%- if continued %}

union all

select
    {{ columns | join(',\n    ') }}
from sessions_before
where canonical_user_id not in (select canonical_user_id from touched)
{%- endif %}
