-- Grain: one row for each identifier that is linked, over any number of hops, to an older one.
{{ config(materialized='connected_components') }}

select
    node,
    linked_node
from {{ ref('int_identity_links') }}
