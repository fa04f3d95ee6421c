{# The e-mail address `value` in the form in which two are compared: trimmed, in lower case. #}
{% macro email_text(value) -%}
    lower(trim({{ value }}, concat(' ', chr(9), chr(10), chr(13))))
{%- endmacro %}

{# The identifier `value` of the type `type`, both SQL, in the form in which two are compared. #}
{% macro identifier_value(type, value) -%}
    case when {{ type }} = 'email' then {{ email_text(value) }} else {{ value }} end
{%- endmacro %}
