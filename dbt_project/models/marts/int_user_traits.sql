-- Grain: one row for each canonical user with an identify call: of each trait the value that it has
-- now, and in `_given_<trait>` which of the user's calls (recency in int_identify_calls) gave it.
-- Our columns start with `_`, as no trait's name can, so that a trait may have any name.
{%- set traits = trait_columns(ref('stg_identifies')) %}

with calls as (
    select
        identifies.*,
        identify_calls.canonical_user_id as _canonical_user_id,
        identify_calls.recency as _recency
    from {{ ref('stg_identifies') }} as identifies
    inner join {{ ref('int_identify_calls') }} as identify_calls
        on identify_calls._seq = identifies._seq
),

said as (
    select
        _canonical_user_id
        {{- newest_said(traits) | indent(4) }}
    from calls
    group by _canonical_user_id
)

select
    _canonical_user_id
    {%- for trait in traits %},
    {{ unless_deleted(trait, adapter.quote(trait)) }} as {{ adapter.quote(trait) }},
    {{ unless_deleted(trait, given_by(trait)) }} as {{ given_by(trait) }}
    {%- endfor %}
from said
