{# Predicate: `value` names a group. As at Segment, an empty or overlong groupId names none. #}
{% macro is_group_id(value) -%}
    length({{ value }}) between 1 and 500
{%- endmacro %}
