{#
    From clause: the rows of the raw table `relation` that count. On DuckDB the views of raw show
    committed loads only, each messageId once, and number all rows.
#}
{% macro from_committed_calls(relation) -%}
    {{ return(adapter.dispatch('from_committed_calls')(relation)) }}
{%- endmacro %}

{% macro default__from_committed_calls(relation) -%}
    from {{ relation }}
{%- endmacro %}

{#
    On BigQuery a row counts once its load is in raw.loads, and those of this run are in int_loads.
    Several loaders may write, each numbering its own rows: the order over all is that of the
    commits, and within one that of its rows, of which there are fewer than 2^32. The least time
    that there is excludes nothing; raw may require a filter on the partitions' column.
#}
{% macro bigquery__from_committed_calls(relation) -%}
from (
    select calls.* replace (loads.commit_order * 4294967296 + calls._seq - loads.first_seq as _seq)
    from {{ relation }} as calls
    inner join {{ committed_loads() }} as loads on loads.load_id = calls.load_id
    left join {{ ref('stg_repeats') }} as repeats
        on repeats.load_id = calls.load_id and repeats.id = calls.id
    where
        calls.received_at >= timestamp '0001-01-01 00:00:00+00'
        and repeats.id is null
) as committed
{%- endmacro %}

{# One row for each load of this run: load_id, loader (the machine that loaded it) and its order. #}
{% macro committed_loads() -%}
    (
        select
            load_id,
            div(load_id, 1000000000) as loader,
            min(commit_order) as commit_order,
            min(first_seq) as first_seq
        from {{ ref('int_loads') }}
        group by load_id
    )
{%- endmacro %}
