-- Grain: one row for each user who is a big spender now.
{{ config(materialized='view') }}

with memberships as (
    select * from {{ ref('audience_memberships') }}
),

users as (
    select * from {{ ref('users') }}
)

select
    memberships.canonical_user_id,
    users.user_id,
    users.email,
    memberships.entered_at
from memberships
inner join users on users.canonical_user_id = memberships.canonical_user_id
where
    memberships.audience = 'big_spenders'
    and memberships.exited_at is null
