{#
    The sets that this run resolves: those of new loads, those that wait, and all those of the
    components in which an override has come or gone since the last run.
#}
{% macro select_sets_to_resolve(steps, is_known) -%}
    {%- if not is_known -%}
    select _seq from {{ ref('int_identity_sets') }}
    {%- else -%}
    {%- set changed = build_step(steps, select_changed_nodes()) -%}
    select _seq from {{ ref('int_identity_sets') }}
    where load_id in (select load_id {{ from_new_loads() }})
    union distinct
    select _seq from {{ this }}
    where kind = 'left'
    {%- if query_value('select count(*) from ' ~ changed) > 0 %}
    union distinct
    select _seq from {{ ref('int_identity_evidence') }}
    where node in ({{ select_connected_nodes(steps, changed) }})
    {%- endif %}
    {%- endif -%}
{%- endmacro %}

{# The overrides that are in force now or were at the last run, not both. #}
{% macro select_changed_overrides() -%}
    {%- set applied = load_relation(this.incorporate(path={'identifier': 'int_applied_overrides'})) -%}
    {%- set columns = 'kind, type, value, other_type, other_value' -%}
    select {{ columns }} from (
        select distinct {{ columns }} from {{ ref('identity_overrides') }}
        {%- if applied %}
        union all
        select {{ columns }} from {{ applied }}
        {%- endif %}
    ) as both_times
    group by {{ columns }}
    having count(*) = 1
{%- endmacro %}

{# The identifiers that changed overrides name. A merge of profiles resolves no event. #}
{% macro select_changed_nodes() -%}
    with changed as (
        select * from ({{ select_changed_overrides() }}) as changed
        where kind <> 'merge'
    ),

    named as (
        select type, value from changed
        union distinct
        select other_type, other_value from changed
    )

    select identifiers.node
    from {{ ref('int_identifiers') }} as identifiers
    inner join named on named.type = identifiers.type and named.value = identifiers.value
{%- endmacro %}

{# Every identifier that the identifiers `changed` are connected with, whatever came of it. #}
{% macro select_connected_nodes(steps, changed) -%}
    {%- set pairs -%}
        (
            select node, min(node) over (partition by _seq) as linked_node
            from {{ ref('int_identity_evidence') }}
        ) as pairs
    {%- endset -%}
    {%- set roots = find_roots(steps, build_step(steps, distinct_links(pairs, 'node', 'linked_node'))) -%}
    {%- set placed -%}
        (
            select identifiers.node, coalesce(roots.root, identifiers.node) as root
            from {{ ref('int_identifiers') }} as identifiers
            left join {{ roots }} as roots on roots.node = identifiers.node
        )
    {%- endset -%}
    {%- set placed = build_step(steps, 'select * from ' ~ placed ~ ' as placed') -%}
    select node from {{ placed }}
    where root in (
        select placed.root from {{ placed }} as placed
        inner join {{ changed }} as changed on changed.node = placed.node
    )
{%- endmacro %}

{#
    `candidates` without the identifiers that an override takes out of an event; that they were is
    an outcome.
#}
{% macro without_overridden(steps, candidates, outcomes) -%}
    {%- set overrides = build_step(steps, select_override_nodes()) -%}
    {%- if query_value('select count(*) from ' ~ overrides) == 0 -%}
        {{ return(candidates) }}
    {%- endif -%}
    {%- set unblocked = build_step(steps, select_without(candidates, 'select _seq, node from ' ~ candidates
        ~ ' where node in (select node from ' ~ overrides ~ " where kind = 'block_identifier')")) -%}
    {%- set unlinked = build_step(steps, select_without(unblocked, select_linked(unblocked, overrides))) -%}
    {%- set counted = build_step(steps, select_without(unlinked, select_split(unlinked, overrides))) -%}
    {%- do outcomes.append(build_step(steps, select_outcome('demote', '_seq', 'node', reason="'override'")
        ~ ' from (' ~ select_without(candidates, 'select _seq, node from ' ~ counted) ~ ') as taken_out')) -%}
    {{ return(counted) }}
{%- endmacro %}

{% macro select_override_nodes() -%}
    select
        overrides.kind,
        identifiers.node,
        other_identifiers.node as other_node
    from {{ ref('identity_overrides') }} as overrides
    inner join {{ ref('int_identifiers') }} as identifiers
        on identifiers.type = overrides.type and identifiers.value = overrides.value
    left join {{ ref('int_identifiers') }} as other_identifiers
        on
            other_identifiers.type = overrides.other_type
            and other_identifiers.value = overrides.other_value
    where overrides.kind in ('block_identifier', 'block_link', 'split')
{%- endmacro %}

{% macro select_without(candidates, taken_out) -%}
    select candidates.*
    from {{ candidates }} as candidates
    left join (select distinct _seq, node from ({{ taken_out }}) as found) as taken_out
        on taken_out._seq = candidates._seq and taken_out.node = candidates.node
    where taken_out.node is null
{%- endmacro %}

{# Of each blocked link that an event carries, the end with the lower priority. #}
{% macro select_linked(candidates, overrides) -%}
    select
        ends._seq,
        case
            when ends.rank > other_ends.rank
                or (ends.rank = other_ends.rank and ends.place > other_ends.place) then ends.node
            else other_ends.node
        end as node
    from {{ overrides }} as overrides
    inner join {{ candidates }} as ends on ends.node = overrides.node
    inner join {{ candidates }} as other_ends
        on other_ends.node = overrides.other_node and other_ends._seq = ends._seq
    where overrides.kind = 'block_link'
{%- endmacro %}

{# Identifiers that are split off, in events that carry another one; the first if all are split. #}
{% macro select_split(candidates, overrides) -%}
    select _seq, node from (
        select
            candidates._seq,
            candidates.node,
            splits.node is not null as is_split,
            row_number() over (
                partition by candidates._seq
                order by case when splits.node is null then 0 else 1 end, candidates.rank, candidates.place
            ) as turn
        from {{ candidates }} as candidates
        left join (select distinct node from {{ overrides }} where kind = 'split') as splits
            on splits.node = candidates.node
    ) as marked
    where is_split and turn > 1
{%- endmacro %}

{# Whether an override has come or gone since the last run. #}
{% macro overrides_have_changed() -%}
    {{ return(query_value('select count(*) from (' ~ select_changed_overrides() ~ ') as changed') > 0) }}
{%- endmacro %}
