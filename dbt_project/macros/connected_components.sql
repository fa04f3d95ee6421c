{#
    Materialization: the model selects links (node, linked_node); the table tells, for each node
    that is not the oldest of its component, which node is: (node, root), with root < node.

    Each round hooks every node to its smallest smaller neighbour, follows the hooks by doubling
    until each ends at a root, and contracts the links to links between roots, until none is left:
    O(log n) rounds whatever the shape of the graph (Shiloach and Vishkin, 1982). Only `create
    table as`: no recursive query, no update, nothing random, so every warehouse agrees.
#}
{% materialization connected_components, default %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set steps = [] -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {%- set links = build_step(steps, distinct_links('(' ~ sql ~ ') as links', 'node', 'linked_node')) -%}
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
    {%- if query_value('select count(*) from ' ~ links) == 0 -%}
        {{ return(build_step(steps, 'select node, linked_node as root from ' ~ links)) }}
    {%- endif -%}
    {%- set hooks = follow_hooks(steps, build_step(
        steps, 'select node, min(linked_node) as root from ' ~ links ~ ' group by node'
    )) -%}
    {%- set contracted -%}
        {{ links }} as links
        left join {{ hooks }} as hooks on hooks.node = links.node
        left join {{ hooks }} as linked_hooks on linked_hooks.node = links.linked_node
    {%- endset -%}
    {%- set later_roots = find_roots(steps, build_step(steps, distinct_links(
        contracted,
        'coalesce(hooks.root, links.node)',
        'coalesce(linked_hooks.root, links.linked_node)'
    ))) -%}
    {%- set composed -%}
        select
            hooks.node,
            coalesce(later.root, hooks.root) as root
        from {{ hooks }} as hooks
        left join {{ later_roots }} as later on later.node = hooks.root
        union all
        select node, root from {{ later_roots }}
    {%- endset -%}
    {{ return(build_step(steps, composed)) }}
{%- endmacro %}

{# `hooks` with every chain of them shortened to one hook, which ends at a root. #}
{% macro follow_hooks(steps, hooks) -%}
    {%- set next_hooks = hooks ~ ' as hooks left join ' ~ hooks ~ ' as next on next.node = hooks.root' -%}
    {%- if query_value('select count(next.node) from ' ~ next_hooks) == 0 -%}
        {{ return(hooks) }}
    {%- endif -%}
    {{ return(follow_hooks(steps, build_step(
        steps, 'select hooks.node, coalesce(next.root, hooks.root) as root from ' ~ next_hooks
    ))) }}
{%- endmacro %}

{# The distinct pairs of two different nodes `from_links`, the younger node first. #}
{% macro distinct_links(from_links, node, linked_node) -%}
    select distinct
        greatest({{ node }}, {{ linked_node }}) as node,
        least({{ node }}, {{ linked_node }}) as linked_node
    from {{ from_links }}
    where {{ node }} <> {{ linked_node }}
{%- endmacro %}

{# A temporary table of what `select_sql` gives, added to `steps`. #}
{% macro build_step(steps, select_sql) -%}
    {%- set step = make_temp_relation(this.incorporate(type='table'), '__step_' ~ steps | length) -%}
    {%- do run_query(get_create_table_as_sql(True, step, select_sql)) -%}
    {%- do steps.append(step) -%}
    {{ return(step) }}
{%- endmacro %}
