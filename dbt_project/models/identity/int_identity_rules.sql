-- Grain: one row: the rules by which identity was resolved so far. Other rules hold for new events
-- only, so that what is there would depend on when they were changed: that is refused.
{{ config(materialized='incremental', unique_key='rules') }}
{%- set rules = tojson(identity_rules(), sort_keys=true) %}
{%- if execute and is_incremental() %}
    {%- set known = query_value('select max(rules) from ' ~ this) %}
    {%- if known is not none and known != rules %}
        {{- exceptions.raise_compiler_error(
            'The rules of identity have changed. Resolved so far by: ' ~ known ~ '; now wanted: ' ~ rules
            ~ '. Fix: resolve all events anew by `headwater transform -- --full-refresh`, or set the rules back'
        ) }}
    {%- endif %}
{%- endif %}

select {{ dbt.string_literal(dbt.escape_single_quotes(rules)) }} as rules
