-- Grain: one row for each id that a user ever had. Look a former id up here.
{{ config(materialized='view') }}

select
    segment_id,
    canonical_user_id as canonical_segment_id
from {{ ref('int_profiles') }}
