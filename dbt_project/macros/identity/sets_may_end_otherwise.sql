{#
    Condition: a set of identifiers may have another outcome when it comes again. Profiles only grow,
    so what broke a limit breaks it again, unless the limit has a window; and a profile that was full
    sent an identifier away, which may belong to another one by then. No profile is ever full while
    all limits together allow no more identifiers than a profile may have, or merges.
#}
{% macro sets_may_end_otherwise() -%}
    {%- set rules = identity_rules() -%}
    {%- if identity_windows() -%}
    true
    {%- else -%}
    (
        select coalesce(sum(max_values), 0) > {{ [rules.max_mappings, rules.max_merges] | min }}
        from ({{ identity_types(ref('int_identifiers')) }}) as types
    )
    {%- endif -%}
{%- endmacro %}
