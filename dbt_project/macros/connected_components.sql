{#
    Materialization: the model selects links (node, linked_node); the table tells, for each node
    that is not the oldest of its component, which node is: (node, root), with root < node.

    Each round hooks every node to its smallest smaller neighbour, follows the hooks by doubling
    until each ends at a root, and contracts the links to links between roots, until none is left:
    O(log n) rounds whatever the shape of the graph (Shiloach and Vishkin, 1982). Only `create
    table as`: no recursive query, no update, nothing random, so every warehouse agrees. Of what is
    joined one side is small, but for the first look at where hooks lead: most links are hooks, and
    most hooks end at a root.
#}
{% materialization connected_components, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set steps = [] -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- set links = build_step(steps, select_links('(' ~ sql ~ ') as links', 'node', 'linked_node')) -%}
    {%- set roots = find_roots(steps, links) -%}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        create or replace table {{ target_relation }} as select node, root from {{ roots }}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}

    {%- for step in steps -%}
        {%- do adapter.drop_relation(step) -%}
    {%- endfor -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# (node, root) for every node of `links` that is no root: one round, then the rounds after it. #}
{% macro find_roots(steps, links) -%}
    {%- set hooks -%}
        select node, min(linked_node) as root, max(linked_node) as last_linked_node
        from {{ links }}
        group by node
    {%- endset -%}
    {%- set hooks = build_step(steps, hooks) -%}
    {%- set roots = follow_hooks(steps, hooks) -%}
    {%- set others -%}
        select links.node, links.linked_node
        from {{ links }} as links
        inner join {{ hooks }} as hooks on hooks.node = links.node
        where
            hooks.last_linked_node > hooks.root
            and links.linked_node > hooks.root
    {%- endset -%}
    {%- set others = build_step(steps, others) -%}
    {%- if query_value('select count(*) from ' ~ others) == 0 -%}
        {{ return(roots) }}
    {%- endif -%}
    {%- set contracted -%}
        {{ others }} as others
        inner join {{ roots }} as roots on roots.node = others.node
        left join {{ roots }} as linked_roots on linked_roots.node = others.linked_node
    {%- endset -%}
    {%- set later_roots = find_roots(steps, build_step(steps, distinct_links(
        contracted, 'roots.root', 'coalesce(linked_roots.root, others.linked_node)'
    ))) -%}
    {%- set composed -%}
        select
            roots.node,
            coalesce(later.root, roots.root) as root
        from {{ roots }} as roots
        left join {{ later_roots }} as later on later.node = roots.root
        union all
        select node, root from {{ later_roots }}
    {%- endset -%}
    {{ return(build_step(steps, composed)) }}
{%- endmacro %}

{# `hooks` with every chain of them shortened to one hook, which ends at a root: (node, root). #}
{% macro follow_hooks(steps, hooks) -%}
    {%- set looked -%}
        select hooks.node, hooks.root, next.node is not null as goes_on
        from {{ hooks }} as hooks
        left join {{ hooks }} as next on next.node = hooks.root
    {%- endset -%}
    {%- set looked = build_step(steps, looked) -%}
    {%- set state = namespace(
        open=build_step(steps, 'select node, root from ' ~ looked ~ ' where goes_on'),
        ended=['select node, root from ' ~ looked ~ ' where not goes_on'],
        is_open=true
    ) -%}
    {#- a chain of n hooks has ended after log2(n) steps, and there are fewer than 2^64 nodes -#}
    {%- for _ in range(64) if state.is_open -%}
        {%- set state.is_open = query_value('select count(*) from ' ~ state.open) > 0 -%}
        {%- if state.is_open -%}
            {%- set ended = '(' ~ state.ended | join(' union all ') ~ ')' -%}
            {%- set ended = build_step(steps, select_next(state.open, ended)) -%}
            {%- set state.open = build_step(steps, select_next(state.open, state.open)) -%}
            {%- do state.ended.append('select node, root from ' ~ ended) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(build_step(steps, state.ended | join(' union all '))) }}
{%- endmacro %}

{# `hooks` that lead where the `next_hooks` lead to which they led. #}
{% macro select_next(hooks, next_hooks) -%}
    select hooks.node, next.root
    from {{ hooks }} as hooks
    inner join {{ next_hooks }} as next on next.node = hooks.root
{%- endmacro %}

{# The pairs of two different nodes `from_links`, the younger node first. #}
{% macro select_links(from_links, node, linked_node) -%}
    select
        greatest({{ node }}, {{ linked_node }}) as node,
        least({{ node }}, {{ linked_node }}) as linked_node
    from {{ from_links }}
    where {{ node }} <> {{ linked_node }}
{%- endmacro %}

{# The same, each pair once. #}
{% macro distinct_links(from_links, node, linked_node) -%}
    select distinct * from ({{ select_links(from_links, node, linked_node) }}) as links
{%- endmacro %}

{# A temporary table of what `select_sql` gives, added to `steps`. #}
{% macro build_step(steps, select_sql) -%}
    {%- set step = make_temp_relation(this.incorporate(type='table'), '__step_' ~ steps | length) -%}
    {%- do run_query(get_create_table_as_sql(True, step, select_sql)) -%}
    {%- do steps.append(step) -%}
    {{ return(step) }}
{%- endmacro %}
