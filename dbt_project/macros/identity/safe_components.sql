{#
    `carried` with tokens: _seq, attached_at, node, rank, place, token, component (of tokens),
    first_seq (the event that the token comes from, -1 for a profile of earlier runs), and whether
    the event `is_late`: received before something that is there already.
#}
{% macro find_components(steps, carried, before) -%}
    {%- set tokens = build_step(steps, select_tokens(carried, before.owners)) -%}
    {%- set pairs -%}
        (select token, min(token) over (partition by _seq) as linked_token from {{ tokens }}) as pairs
    {%- endset -%}
    {%- set roots = find_roots(steps, build_step(steps, distinct_links(pairs, 'token', 'linked_token'))) -%}
    {%- set placed -%}
        select
            tokens.*,
            coalesce(roots.root, tokens.token) as component,
            case
                when tokens.token >= 0 then -1
                else min(tokens._seq) over (partition by tokens.token)
            end as first_seq
        from {{ tokens }} as tokens
        left join {{ roots }} as roots on roots.node = tokens.token
    {%- endset -%}
    {{ return(build_step(steps, select_with_lateness(placed, before.members))) }}
{%- endmacro %}

{# Only where rules have windows does it matter when events were received. #}
{% macro select_with_lateness(placed, members) -%}
    {%- if not identity_windows() -%}
    select placed.*, false as is_late from ({{ placed }}) as placed
    {%- else -%}
    select
        placed.*,
        placed.attached_at < greatest(
            max(placed.attached_at) over (partition by placed.component order by placed._seq),
            max(coalesce(newest.attached_at, placed.attached_at)) over (partition by placed.component)
        ) as is_late
    from ({{ placed }}) as placed
    left join (
        select profile, max(attached_at) as attached_at from {{ members }}
        group by profile
    ) as newest on newest.profile = placed.token
    {%- endif -%}
{%- endmacro %}

{% macro select_tokens(carried, owners) -%}
    select
        carried.*,
        coalesce(owners.profile, -carried.node) as token
    from {{ carried }} as carried
    left join {{ owners }} as owners on owners.node = carried.node
{%- endmacro %}

{#
    Resolves what lies in components that break no limit, and returns the events that are still to
    be resolved in rounds: _seq, attached_at, token, node, rank, place, is_late. Of safe components these are
    the events that merge profiles, with profiles for tokens: which of them merges which is a matter
    of order again.
#}
{% macro resolve_safe_components(steps, types, placed, before, outcomes) -%}
    {%- set arrivals = build_step(steps, select_arrivals(steps, placed)) -%}
    {%- set unsafe = build_step(steps, select_unsafe(types, placed, arrivals, before)) -%}
    {%- set safe_arrivals -%}
        {{ arrivals }} as arrivals where component not in (select component from {{ unsafe }})
    {%- endset -%}
    {%- do outcomes.append(build_step(steps, select_outcome(
        'attach', '_seq', 'node', 'profile', attached_at='attached_at'
    ) ~ ' from ' ~ safe_arrivals)) -%}
    {%- set events = build_step(steps, select_safe_events(placed, arrivals, unsafe)) -%}
    {%- do outcomes.append(build_step(steps, select_outcome(
        'event', '_seq', profile='max(profile)'
    ) ~ ' from ' ~ events ~ ' group by _seq having count(*) = 1')) -%}
    {%- set open_events -%}
        select
            _seq,
            attached_at,
            token,
            node,
            rank,
            place,
            is_late
        from {{ placed }}
        where component in (select component from {{ unsafe }})
        union all
        select
            _seq,
            attached_at,
            profile,
            null,
            0,
            0,
            false
        from {{ events }}
        where true
        qualify count(*) over (partition by _seq) > 1
    {%- endset -%}
    {{ return(build_step(steps, open_events)) }}
{%- endmacro %}

{#
    Each token that is no profile, at the event that brought it, with the profile that it is attached
    to if no limit is broken: that of the event's oldest token, or where all of them are new the one
    that the event creates. Columns: token, component, _seq, attached_at, node, rank, profile.
#}
{% macro select_arrivals(steps, placed) -%}
    {%- set firsts -%}
        with parents as (
            select
                *,
                first_value(token) over (
                    partition by _seq
                    order by first_seq, case when token >= 0 then token else node end
                ) as parent
            from {{ placed }}
        )
        select * from parents where first_seq = _seq
    {%- endset -%}
    {%- set firsts = build_step(steps, firsts) -%}
    {%- set anchors = follow_hooks(steps, build_step(
        steps, 'select token as node, parent as root from ' ~ firsts ~ ' where token <> parent'
    )) -%}
    select
        firsts.token,
        firsts.component,
        firsts._seq,
        firsts.attached_at,
        firsts.node,
        firsts.rank,
        coalesce(creators._seq, anchors.root) as profile
    from {{ firsts }} as firsts
    left join {{ anchors }} as anchors on anchors.node = firsts.token
    left join {{ firsts }} as creators on creators.token = coalesce(anchors.root, firsts.token)
{%- endmacro %}

{# Components that, taken whole, break a limit or the bounds on a profile's size. #}
{% macro select_unsafe(types, placed, arrivals, before) -%}
    {%- set rules = identity_rules() -%}
    with profiles as (
        select distinct token as profile, component from {{ placed }} where token >= 0
    ),

    identifiers as (
        select component, rank, attached_at from {{ arrivals }}
        union all
        select profiles.component, members.rank, members.attached_at
        from {{ before.members }} as members
        inner join profiles on profiles.profile = members.profile
    ),

    all_profiles as (
        select component, profile from {{ arrivals }}
        union distinct
        select component, profile from profiles
    )

    select identifiers.component
    from identifiers
    inner join {{ types }} as types on types.rank = identifiers.rank
    where types.window_microseconds is null
    group by identifiers.component, types.rank, types.max_values
    having count(*) > types.max_values

    union distinct

    select component from identifiers
    group by component
    having count(*) > {{ rules.max_mappings }}

    union distinct

    select all_profiles.component
    from all_profiles
    left join {{ before.merged }} as merged on merged.profile = all_profiles.profile
    group by all_profiles.component
    having count(*) - 1 + sum(coalesce(merged.merges, 0)) >= {{ rules.max_merges }}
    {%- for width in identity_windows() %}

    union distinct

    select component from (
        select
            identifiers.component,
            types.max_values,
            count(*) over (
                partition by identifiers.component, identifiers.rank
                order by identifiers.attached_at
                range between {{ width - 1 }} preceding and current row
            ) as held,
            case
                when identifiers.component in (select component from {{ placed }} where is_late)
                    then count(*) over (partition by identifiers.component, identifiers.rank)
                else 0
            end as held_for_late
        from identifiers
        inner join {{ types }} as types on types.rank = identifiers.rank
        where types.window_microseconds = {{ width }}
    ) as windowed
    where greatest(held, held_for_late) > max_values
    {%- endfor %}
{%- endmacro %}

{# The profiles of each event of a safe component: _seq, attached_at, profile. #}
{% macro select_safe_events(placed, arrivals, unsafe) -%}
    select distinct
        placed._seq,
        placed.attached_at,
        coalesce(arrivals.profile, placed.token) as profile
    from {{ placed }} as placed
    left join {{ arrivals }} as arrivals on arrivals.token = placed.token
    where placed.component not in (select component from {{ unsafe }})
{%- endmacro %}
