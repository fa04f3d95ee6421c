-- Every two identifiers that an event carried together, and that counted, belong to the same user.
with counted as (
    select
        evidence._seq,
        canonical_ids.canonical_user_id
    from {{ ref('int_identity_evidence') }} as evidence
    inner join {{ ref('int_canonical_ids') }} as canonical_ids on canonical_ids.node = evidence.node
    left join {{ ref('int_identity_log') }} as demoted
        on
            demoted.kind = 'demote'
            and demoted._seq = evidence._seq
            and demoted.node = evidence.node
    where demoted.node is null
)

select _seq
from counted
group by _seq
having count(distinct canonical_user_id) > 1
