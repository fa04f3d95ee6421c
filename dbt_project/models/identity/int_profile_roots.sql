-- Grain: one row for each profile that was merged, over any number of hops, into an older one: by an
-- event, or by an override, which holds whatever the limits say.
-- depends_on: {{ ref('identity_overrides') }}
{{ config(materialized='connected_components') }}

{%- set overrides = load_relation(ref('identity_overrides')) if execute %}
{%- set merges = query_value("select count(*) from " ~ overrides ~ " where kind = 'merge'") if overrides else 0 %}

with outcomes as (
    select * from {{ ref('int_identity_log') }}
),

identifiers as (
    select
        identifiers.type,
        identifiers.value,
        outcomes.profile
    from outcomes
    inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = outcomes.node
    where outcomes.kind = 'attach'
)

select
    profile as node,
    into_profile as linked_node
from outcomes
where kind = 'merge'
{%- if merges > 0 %}

union all

select
    identifiers.profile as node,
    other_identifiers.profile as linked_node
from {{ ref('identity_overrides') }} as overrides
inner join identifiers
    on identifiers.type = overrides.type and identifiers.value = overrides.value
inner join identifiers as other_identifiers
    on
        other_identifiers.type = overrides.other_type
        and other_identifiers.value = overrides.other_value
where overrides.kind = 'merge'
{%- endif %}
