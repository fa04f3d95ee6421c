{#
    Materialization: resolves identity as if each set of identifiers were looked at alone, in order
    of arrival, and keeps the outcomes. The model selects the evidence: _seq, node, place, type,
    attached_at. What the kinds of outcome are, the model says.

    A profile is named by the `_seq` of the event that created it, so the older one is the smaller.
    A token is what an event's identifier leads to: a profile, or minus the identifier's node while
    it belongs to none. Events whose tokens are connected depend on each other, all others do not.
      1. A whole component that breaks no limit can't have broken one on the way, so whatever is
         connected there is one profile (safe_components.sql).
      2. In the others, each round resolves every event that comes first on each of its tokens, and
         takes from each event that breaks a limit its identifier of the lowest priority (rounds.sql).
#}
{% materialization identity_resolution, default %}
    {%- set log = this.incorporate(type='table') -%}
    {%- set is_known = load_cached_relation(this) is not none and not should_full_refresh() -%}
    {%- set steps = [] -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- set types = build_step(steps, identity_types(ref('int_identifiers'))) -%}
    {%- set turns = build_step(steps, select_sets_to_resolve(steps, is_known)) -%}
    {#- as a literal, so that the warehouse need not read what is older -#}
    {%- set oldest = query_value('select coalesce(min(_seq), 0) from ' ~ turns) -%}
    {%- set outcomes = resolve(steps, types, turns, oldest, log if is_known) -%}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ keep_outcomes(log, turns, oldest, outcomes, is_known) }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(log, model) %}
    {{ adapter.commit() }}

    {%- for step in steps -%}
        {%- do adapter.drop_relation(step) -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [log]}) }}
{% endmaterialization %}

{# The outcomes of the sets `turns`, as a list of relations of the log's columns. #}
{% macro resolve(steps, types, turns, oldest, log) -%}
    {%- set outcomes = [] -%}
    {%- set candidates = build_step(steps, select_candidates(types, turns, oldest)) -%}
    {%- set carried = without_overridden(steps, candidates, outcomes) -%}
    {%- set before = state_before(steps, types, turns, carried, log) -%}
    {%- set placed = find_components(steps, carried, before) -%}
    {%- set open_events = resolve_safe_components(steps, types, placed, before, outcomes) -%}
    {%- do resolve_in_rounds(steps, types, open_events, before, outcomes) -%}
    {%- do outcomes.append(build_step(steps, select_created(outcomes))) -%}
    {{ return(outcomes) }}
{%- endmacro %}

{#
    The profiles that `outcomes` created, named for the oldest identifier of the event that did: the
    name never changes, and comes back when a merge is undone.
#}
{% macro select_created(outcomes) -%}
    {{ select_outcome(
        'create', 'created.profile', 'created.node', 'created.profile',
        segment_id=dbt.hash(dbt.concat(['identifiers.type', "':'", 'identifiers.value']))
    ) }}
    from (
        select profile, min(node) as node from ({{ select_all(outcomes) }}) as outcomes
        where kind = 'attach' and _seq = profile
        group by profile
    ) as created
    inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = created.node
{%- endmacro %}

{% macro select_all(outcomes) -%}
    {%- for outcome in outcomes -%}
    select * from {{ outcome }}
    {{- ' union all ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The identifiers of the sets `turns`: _seq, attached_at, node, rank, place. #}
{% macro select_candidates(types, turns, oldest) -%}
    select
        evidence._seq,
        evidence.attached_at,
        evidence.node,
        types.rank,
        evidence.place
    from ({{ sql }}) as evidence
    inner join {{ turns }} as turns on turns._seq = evidence._seq
    inner join {{ types }} as types on types.type = evidence.type
    where evidence._seq >= {{ oldest }}
{%- endmacro %}

{#
    What earlier runs left, as far as the identifiers in `carried` lead to it. Relations: `owners`
    (node, profile), `members` (profile, node, rank, attached_at), `merged` (profile, merges).
#}
{% macro state_before(steps, types, turns, carried, log) -%}
    {%- set known -%}
        ({{ select_log(log) }} where _seq not in (select _seq from {{ turns }}))
    {%- endset -%}
    {%- set into = follow_hooks(steps, build_step(
        steps, 'select profile as node, into_profile as root from ' ~ known ~ " as merges where kind = 'merge'"
    )) -%}
    {%- set owners = build_step(steps, select_owners(carried, known, into)) -%}
    {%- set parts -%}
        select profile as part, profile from {{ owners }}
        union distinct
        select node, root from {{ into }} where root in (select profile from {{ owners }})
    {%- endset -%}
    {%- set members -%}
        select
            parts.profile,
            attached.node,
            types.rank,
            attached.attached_at
        from {{ known }} as attached
        inner join ({{ parts }}) as parts on parts.part = attached.profile
        inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = attached.node
        inner join {{ types }} as types on types.type = identifiers.type
        where attached.kind = 'attach'
    {%- endset -%}
    {{ return({
        'owners': owners,
        'members': build_step(steps, members),
        'merged': build_step(
            steps, 'select profile, count(*) - 1 as merges from (' ~ parts ~ ') as parts group by profile'
        ),
    }) }}
{%- endmacro %}

{# The log, or before there is one no rows of its columns. #}
{% macro select_log(log) -%}
    {%- if log -%}
    select * from {{ log }}
    {%- else -%}
    select * from ({{ select_outcome('none') }}) as log
    {%- endif -%}
{%- endmacro %}

{# The profile that each identifier in `carried` belongs to by now. #}
{% macro select_owners(carried, known, into) -%}
    select
        attached.node,
        coalesce(merged.root, attached.profile) as profile
    from {{ known }} as attached
    left join {{ into }} as merged on merged.node = attached.profile
    where
        attached.kind = 'attach'
        and attached.node in (select node from {{ carried }})
{%- endmacro %}

{# Select list of one outcome; columns that its kind has not are null. #}
{% macro select_outcome(kind, seq='0', node='null', profile='null', into_profile='null', attached_at='null', reason='null', segment_id='null') -%}
    select
        '{{ kind }}' as kind,
        {{ seq }} as _seq,
        cast({{ node }} as {{ dbt.type_bigint() }}) as node,
        cast({{ profile }} as {{ dbt.type_bigint() }}) as profile,
        cast({{ into_profile }} as {{ dbt.type_bigint() }}) as into_profile,
        cast({{ attached_at }} as {{ dbt.type_bigint() }}) as attached_at,
        cast({{ reason }} as {{ dbt.type_string() }}) as reason,
        cast({{ segment_id }} as {{ dbt.type_string() }}) as segment_id
{%- endmacro %}

{# Statement: the log holds `outcomes` for the sets `turns`, and of all other sets what it held. #}
{% macro keep_outcomes(log, turns, oldest, outcomes, is_known) -%}
    {%- set rows = select_all(outcomes) -%}
    {%- if is_known -%}
    {{ adapter.dispatch('replace_turns')(log, turns, oldest, rows) }}
    {%- else -%}
    {{ adapter.dispatch('create_log')(log, rows) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__create_log(log, rows) -%}
    create or replace table {{ log }} as {{ rows }}
{%- endmacro %}

{% macro bigquery__create_log(log, rows) -%}
    create or replace table {{ log }} cluster by kind, _seq as {{ rows }}
{%- endmacro %}

{% macro default__replace_turns(log, turns, oldest, rows) -%}
    delete from {{ log }} where _seq >= {{ oldest }} and _seq in (select _seq from {{ turns }});
    insert into {{ log }} {{ rows }}
{%- endmacro %}

{# dbt has no transaction open on BigQuery. #}
{% macro bigquery__replace_turns(log, turns, oldest, rows) -%}
    begin transaction;
    {{ default__replace_turns(log, turns, oldest, rows) }};
    commit transaction
{%- endmacro %}
