{# True for a raw column that holds a trait: neither a field of the call nor one of the loader's. #}
{% macro is_trait(name) -%}
    {%- set fields = ['sent_at', 'original_timestamp', 'loaded_at', 'uuid_ts'] -%}
    {{ return(name not in call_columns() and name not in fields and not name.startswith(('context_', '_'))) }}
{%- endmacro %}
