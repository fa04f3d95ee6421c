{#
    True for a raw column that holds a trait: neither a field of the call nor one of the loader's.
    BigQuery has `_` before a name that begins with a digit.
#}
{% macro is_trait(name) -%}
    {%- set fields = ['sent_at', 'original_timestamp', 'loaded_at', 'uuid_ts'] -%}
    {%- set is_ours = name.startswith(('context_', '_')) and not modules.re.match('_[0-9]', name) -%}
    {{ return(name not in call_columns() and name not in fields and not is_ours) }}
{%- endmacro %}
