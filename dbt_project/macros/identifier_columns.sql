{#
    The columns of raw that may hold an identifier, as a list of {table_name, column_name, data_type}:
    those of calls that resolution knows by itself, and the `custom` ones of the rules. What no event
    has sent is not there, so that nothing is read for it.
#}
{% macro identifier_columns() -%}
    {%- set names = [
        'email', 'context_traits_email', 'context_device_id', 'context_device_advertising_id',
        'context_device_token', 'context_integrations_google_analytics_client_id',
        'context_external_ids',
    ] -%}
    {%- for name in identity_rules().custom -%}
        {%- do names.extend([name, 'context_traits_' ~ name, 'event_text']) -%}
    {%- endfor -%}
    {{ return(raw_columns_named(names | unique)) }}
{%- endmacro %}

{#
    Of the columns `found` (identifier_columns), those that hold custom identifiers of users, with
    their `type`, their `place` in an event, the `event_type` of their rows and the from clause of these:
    a trait of identify, in context.traits of any call, a property of a page, a screen or a track
    event, which stands in the event's own table alone.
#}
{% macro custom_identifier_columns(found) -%}
    {%- set tracks = source('raw', 'tracks') -%}
    {#- asked for in any case, since dbt learns from it what the model reads -#}
    {%- do from_committed_calls(tracks) -%}
    {%- set calls = {
        'tracks': 'track', 'identifies': 'identify', 'pages': 'page', 'screens': 'screen',
        'groups': 'group', 'aliases': 'alias',
    } -%}
    {%- set with_own = ['identifies', 'pages', 'screens'] -%}
    {%- for column in found if column.column_name == 'event_text' and column.table_name not in calls -%}
        {%- do with_own.append(column.table_name) -%}
    {%- endfor -%}
    {%- set with_context = calls.keys() | reject('equalto', 'aliases') | list -%}
    {%- set columns = [] -%}
    {%- for name in identity_rules().custom -%}
        {%- set place = 100 + 2 * loop.index -%}
        {%- for column in found if column.data_type | lower not in ['bool', 'boolean'] -%}
            {%- set tables = {name: with_own, 'context_traits_' ~ name: with_context}.get(column.column_name, []) -%}
            {%- if column.table_name in tables -%}
                {%- do columns.append(dict(
                    column,
                    type=name,
                    event_type=calls.get(column.table_name, 'track'),
                    place=place + (column.column_name != name),
                    from_calls=from_committed_calls(
                        tracks.incorporate(path={'identifier': column.table_name})
                    )
                )) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#
    The text of the column `name` of raw: a whole number is written alike whether its column holds
    integers or has widened to floats since.
#}
{% macro identifier_text(name, data_type) -%}
    {%- set text = 'cast(' ~ adapter.quote(name) ~ ' as ' ~ dbt.type_string() ~ ')' -%}
    {%- set is_float = data_type | lower in ['double', 'float64'] -%}
    {{ return('regexp_replace(' ~ text ~ ", '[.]0$', '')" if is_float else text) }}
{%- endmacro %}
