-- Every two identifiers that an event carried together belong to the same canonical user.
select
    links.node,
    links.linked_node
from {{ ref('int_identity_links') }} as links
inner join {{ ref('int_canonical_ids') }} as canonical_ids
    on canonical_ids.node = links.node
inner join {{ ref('int_canonical_ids') }} as linked_canonical_ids
    on linked_canonical_ids.node = links.linked_node
where canonical_ids.canonical_user_id <> linked_canonical_ids.canonical_user_id
