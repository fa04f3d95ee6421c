{#
    Join clause: the group that was the one of each row's user at the row's moment, in the columns of
    group_memberships, called `as_group`. All its columns are null where the user had none yet.

        select events.id, membership.group_id
        from {{ ref('events') }} as events
        {{ join_group_as_of('events') }}

    `rows` has the columns canonical_user_id and `at`. It stays one row each.
#}
{% macro join_group_as_of(rows, at='timestamp', as_group='membership') -%}
    left join {{ ref('group_memberships') }} as {{ as_group }}
        on
            {{ as_group }}.canonical_user_id = {{ rows }}.canonical_user_id
            and {{ as_group }}.valid_from <= {{ rows }}.{{ at }}
            and ({{ as_group }}.valid_to > {{ rows }}.{{ at }} or {{ as_group }}.valid_to is null)
{%- endmacro %}
