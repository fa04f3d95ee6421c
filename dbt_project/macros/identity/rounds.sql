{#
    Resolves `events` (_seq, attached_at, token, node, rank, place, is_late) in rounds. Exact, because
    profiles only grow: an event that breaks a limit now breaks it at its turn too, so its identifier
    of the lowest priority may go at once; one whose identifiers are all of one profile never changes
    anything; and events that come first on each of their tokens share no token.
#}
{% macro resolve_in_rounds(steps, types, events, before, outcomes) -%}
    {%- set is_open = query_value('select count(*) from ' ~ events) > 0 -%}
    {%- set state = namespace(events=events, is_open=is_open) -%}
    {%- if is_open -%}
        {%- set state.members = build_step(
            steps, 'select profile as token, node, rank, attached_at from ' ~ before.members
        ) -%}
        {%- set state.merged = build_step(steps, 'select profile as token, merges from ' ~ before.merged) -%}
    {%- endif -%}
    {%- for _ in range(var('identity_rounds')) if state.is_open -%}
        {%- do resolve_one_round(steps, types, state, outcomes) -%}
        {%- set state.is_open = query_value('select count(*) from ' ~ state.events) > 0 -%}
    {%- endfor -%}
    {%- if state.is_open -%}
        {%- do outcomes.append(build_step(steps, adapter.dispatch('resolve_rest')(types, state))) -%}
    {%- endif -%}
{%- endmacro %}

{% macro resolve_one_round(steps, types, state, outcomes) -%}
    {%- set turns = build_step(steps, select_turns(state.events)) -%}
    {%- set crowded = build_step(steps, select_crowded(types, state, turns)) -%}
    {%- set dropped = build_step(steps, select_dropped(state.events, crowded)) -%}
    {%- set settled = build_step(steps, select_settled(state, turns, crowded)) -%}
    {%- set moves = build_step(steps, select_moves(state.events, settled)) -%}
    {%- do outcomes.append(build_step(steps, select_outcomes(state.events, dropped, settled, moves))) -%}

    {%- set events = build_step(steps, select_next_events(state.events, dropped, settled, moves)) -%}
    {%- set members = build_step(steps, select_next_members(state, settled, moves, events)) -%}
    {%- set state.merged = build_step(steps, select_next_merged(state.merged, moves, events)) -%}
    {%- set state.members = members -%}
    {%- set state.events = events -%}
{%- endmacro %}

{#
    One row an event: its oldest profile, how many tokens it has and how many of them are no profile
    yet, whether it comes first on each, and whether what windows count for it is known: before its
    turn an event that was received late may miss that an earlier one sees less in its window.
#}
{% macro select_turns(events) -%}
    with tokens as (
        select distinct _seq, attached_at, token, is_late from {{ events }}
    ),

    firsts as (
        select token, min(_seq) as first_seq from tokens
        group by token
    )

    select
        tokens._seq,
        tokens.attached_at,
        min(case when tokens.token >= 0 then tokens.token end) as oldest,
        count(*) as token_count,
        sum(case when tokens.token < 0 then 1 else 0 end) as new_count,
        min(case when firsts.first_seq = tokens._seq then 1 else 0 end) as is_first,
        min(case when firsts.first_seq = tokens._seq or not tokens.is_late then 1 else 0 end) as is_timely
    from tokens
    inner join firsts on firsts.token = tokens.token
    group by tokens._seq, tokens.attached_at
{%- endmacro %}

{#
    Events whose profiles and new identifiers together break a limit. Where the limit has a window, a
    new identifier may by the event's turn have been attached long ago, so it counts only then.
#}
{% macro select_crowded(types, state, turns) -%}
    with tokens as (
        select distinct
            turns._seq,
            turns.attached_at,
            turns.is_timely,
            events.token
        from {{ state.events }} as events
        inner join {{ turns }} as turns on turns._seq = events._seq
        where turns.token_count > 1
    ),

    held as (
        select token, rank, count(*) as held
        from {{ state.members }}
        where rank not in (select rank from {{ types }} where window_microseconds is not null)
        group by token, rank
    ),

    identifiers as (
        select tokens._seq, held.rank, held.held
        from tokens
        inner join held on held.token = tokens.token
        union all
        select events._seq, events.rank, 1
        from {{ state.events }} as events
        inner join {{ turns }} as turns on turns._seq = events._seq
        inner join {{ types }} as types on types.rank = events.rank
        where
            events.token < 0
            and turns.token_count > 1
            and (types.window_microseconds is null or turns.is_first = 1)
        {%- if identity_windows() %}
        union all
        select tokens._seq, members.rank, 1
        from tokens
        inner join {{ state.members }} as members on members.token = tokens.token
        inner join {{ types }} as types on types.rank = members.rank
        where
            tokens.is_timely = 1
            and members.attached_at > tokens.attached_at - types.window_microseconds
        {%- endif %}
    )

    select distinct identifiers._seq
    from identifiers
    inner join {{ types }} as types on types.rank = identifiers.rank
    group by identifiers._seq, types.rank, types.max_values
    having sum(identifiers.held) > types.max_values
{%- endmacro %}

{# The identifier of the lowest priority of each crowded event. #}
{% macro select_dropped(events, crowded) -%}
    select
        _seq,
        node
    from {{ events }}
    where _seq in (select _seq from {{ crowded }})
    qualify row_number() over (partition by _seq order by rank desc, place desc, node desc) = 1
{%- endmacro %}

{#
    Events that are done: _seq, profile, and whether they are `idle` (all their identifiers are of
    one profile already) or find the profiles `full` (then nothing is attached or merged).
#}
{% macro select_settled(state, turns, crowded) -%}
    {%- set rules = identity_rules() -%}
    with ready as (
        select * from {{ turns }}
        where
            is_first = 1
            and (token_count > 1 or new_count > 0)
            and _seq not in (select _seq from {{ crowded }})
    ),

    profiles as (
        select distinct events._seq, events.token
        from {{ state.events }} as events
        inner join ready on ready._seq = events._seq
        where events.token >= 0
    ),

    sizes as (
        select token, count(*) as mappings from {{ state.members }}
        group by token
    ),

    totals as (
        select
            profiles._seq,
            sum(coalesce(sizes.mappings, 0)) as mappings,
            sum(coalesce(merged.merges, 0)) as merges,
            max(coalesce(merged.merges, 0)) as most_merges
        from profiles
        left join sizes on sizes.token = profiles.token
        left join {{ state.merged }} as merged on merged.token = profiles.token
        group by profiles._seq
    )

    select
        _seq,
        oldest as profile,
        true as is_idle,
        false as is_full
    from {{ turns }}
    where token_count = 1 and new_count = 0

    union all

    select
        ready._seq,
        coalesce(ready.oldest, ready._seq) as profile,
        false as is_idle,
        coalesce(
            totals.mappings + ready.new_count > {{ rules.max_mappings }}
            or totals.merges + ready.token_count - ready.new_count - 1 > {{ rules.max_merges }}
            or totals.most_merges >= {{ rules.max_merges }},
            false
        ) as is_full
    from ready
    left join totals on totals._seq = ready._seq
{%- endmacro %}

{# The tokens that are other profiles from now on: token, profile, and the event that did it. #}
{% macro select_moves(events, settled) -%}
    select distinct
        events.token,
        settled.profile,
        events._seq
    from {{ events }} as events
    inner join {{ settled }} as settled on settled._seq = events._seq
    where
        not settled.is_idle
        and not settled.is_full
        and events.token <> settled.profile
{%- endmacro %}

{% macro select_outcomes(events, dropped, settled, moves) -%}
    {{ select_outcome('attach', 'events._seq', 'events.node', 'moves.profile', attached_at='events.attached_at') }}
    from {{ events }} as events
    inner join {{ moves }} as moves on moves._seq = events._seq and moves.token = events.token
    where events.token < 0
    union all
    {{ select_outcome('merge', '_seq', profile='token', into_profile='profile') }}
    from {{ moves }}
    where token >= 0
    union all
    {{ select_outcome('event', '_seq', profile='profile') }}
    from {{ settled }}
    union all
    {{ select_outcome('demote', '_seq', 'node', reason="'limit'") }}
    from {{ dropped }}
    union all
    {{ select_outcome('demote', 'events._seq', 'events.node', reason="'full'") }}
    from {{ events }} as events
    inner join {{ settled }} as settled on settled._seq = events._seq
    where settled.is_full and events.token <> settled.profile
{%- endmacro %}

{% macro select_next_events(events, dropped, settled, moves) -%}
    select
        events._seq,
        events.attached_at,
        coalesce(moves.profile, events.token) as token,
        events.node,
        events.rank,
        events.place,
        events.is_late
    from {{ events }} as events
    left join {{ moves }} as moves on moves.token = events.token
    left join {{ dropped }} as dropped on dropped._seq = events._seq and dropped.node = events.node
    where
        dropped._seq is null
        and events._seq not in (select _seq from {{ settled }})
{%- endmacro %}

{# The members of the profiles that open events still lead to. #}
{% macro select_next_members(state, settled, moves, next_events) -%}
    select * from (
        select
            coalesce(moves.profile, members.token) as token,
            members.node,
            members.rank,
            members.attached_at
        from {{ state.members }} as members
        left join {{ moves }} as moves on moves.token = members.token
        union all
        select
            moves.profile,
            events.node,
            events.rank,
            events.attached_at
        from {{ state.events }} as events
        inner join {{ moves }} as moves on moves._seq = events._seq and moves.token = events.token
        where events.token < 0
    ) as members
    where token in (select token from {{ next_events }})
{%- endmacro %}

{% macro select_next_merged(merged, moves, next_events) -%}
    select
        token,
        sum(merges) as merges
    from (
        select coalesce(moves.profile, merged.token) as token, merged.merges
        from {{ merged }} as merged
        left join {{ moves }} as moves on moves.token = merged.token
        union all
        select profile, 1 from {{ moves }} where token >= 0
    ) as merged
    where token in (select token from {{ next_events }})
    group by token
{%- endmacro %}

{# What the rounds have not come to waits for the next run, with its order kept. #}
{% macro default__resolve_rest(types, state) -%}
    {{ select_outcome('left', '_seq') }}
    from (select distinct _seq from {{ state.events }}) as events
{%- endmacro %}

{# On DuckDB loader/transform/in_order.py resolves the rest, one event after another. #}
{% macro duckdb__resolve_rest(types, state) -%}
    {%- set rules = identity_rules() -%}
    select
        unnest(resolve_in_order(
            (
                select list(event order by _seq, rank, place, node) from (
                    select
                        *,
                        {{ struct_of_bigints(['_seq', 'attached_at', 'token', 'node', 'rank', 'place']) }} as event
                    from {{ state.events }}
                ) as events
            ),
            coalesce((
                select list({{ struct_of_bigints(['token', 'rank', 'attached_at']) }}) from {{ state.members }}
            ), []),
            coalesce((select list({{ struct_of_bigints(['token', 'merges']) }}) from {{ state.merged }}), []),
            (
                select list({{ struct_of_bigints(['rank', 'max_values', 'window_microseconds']) }})
                from {{ types }}
            ),
            {{ rules.max_mappings }},
            {{ rules.max_merges }}
        ), max_depth := 2),
        cast(null as varchar) as segment_id
{%- endmacro %}

{% macro struct_of_bigints(columns) -%}
    { {%- for column in columns -%} {{ column }}: {{ column }}::bigint {{- ', ' if not loop.last }} {%- endfor -%} }
{%- endmacro %}
