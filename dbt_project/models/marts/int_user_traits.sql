-- Grain: one row for each canonical user with an identify call: the newest value of each trait.
-- Our columns start with `_`, as no trait's name can, so that a trait may have any name.
{%- set traits = trait_columns(ref('stg_identifies')) %}

with identifies as (
    select
        identifies.*,
        events.canonical_user_id as _canonical_user_id,
        row_number() over (
            partition by events.canonical_user_id
            order by identifies.timestamp, identifies._seq
        ) as _recency
    from {{ ref('stg_identifies') }} as identifies
    inner join {{ ref('events') }} as events
        on {{ is_event('identifies.id', 'identifies.received_at', 'identify') | indent(8) }}
    where events.canonical_user_id is not null
)

select
    _canonical_user_id
    {%- for trait in traits %},
    {{ newest('identifies.' ~ adapter.quote(trait), '_recency') }} as {{ adapter.quote(trait) }}
    {%- endfor %}
from identifies
group by _canonical_user_id
