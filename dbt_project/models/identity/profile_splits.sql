-- Grain: one row for each user that came out of another one, when an override, a full refresh by
-- other rules or an erasure took apart what was one user: the history that no full refresh can tell.
-- depends_on: {{ ref('int_identifiers') }}
-- depends_on: {{ ref('int_canonical_ids') }}
-- depends_on: {{ ref('identity_overrides') }}
{{ config(materialized='incremental', full_refresh=false, unique_key=['segment_id', 'canonical_segment_id', 'split_at']) }}

{%- set published = load_relation(this.incorporate(path={'identifier': 'user_identifiers'})) if execute %}

{%- if published and (flags.FULL_REFRESH or overrides_have_changed()) %}

with today as (
    select
        identifiers.type,
        identifiers.value,
        canonical_ids.canonical_user_id
    from {{ ref('int_canonical_ids') }} as canonical_ids
    inner join {{ ref('int_identifiers') }} as identifiers on identifiers.node = canonical_ids.node
),

compared as (
    select
        today.canonical_user_id,
        published.canonical_user_id as former_id,
        coalesce(profiles.canonical_user_id, published.canonical_user_id) as former_id_today
    from {{ published }} as published
    inner join today on today.type = published.type and today.value = published.value
    left join {{ ref('int_profiles') }} as profiles on profiles.segment_id = published.canonical_user_id
)

select distinct
    canonical_user_id as segment_id,
    former_id as canonical_segment_id,
    {{ as_of() }} as split_at
from compared
where canonical_user_id <> former_id_today

{%- else %}

select
    segment_id,
    segment_id as canonical_segment_id,
    {{ as_of() }} as split_at
from {{ ref('int_profiles') }}
limit 0

{%- endif %}
