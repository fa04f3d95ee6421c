{#
    The columns of a call that tell which event it is: of two calls with the same, the newer one
    counts. On BigQuery, to look for an event in every day ever loaded would cost a scan of them all
    with each run, so there a messageId that comes again on another day, later than its loader looks
    back, is another event.
#}
{% macro event_key() -%}
    {{ return(adapter.dispatch('event_key')()) }}
{%- endmacro %}

{% macro default__event_key() -%}
    id
{%- endmacro %}

{% macro bigquery__event_key() -%}
    id, _date
{%- endmacro %}

{#
    Join condition: the row of `events` is the event `id`, received at `received_at`. On BigQuery
    the type and the name, by which events are clustered, spare the scan of all others.
#}
{% macro is_event(id, received_at, type, event=none) -%}
    {{ return(adapter.dispatch('is_event')(id, received_at, type, event)) }}
{%- endmacro %}

{% macro default__is_event(id, received_at, type, event) -%}
    events.id = {{ id }}
{%- endmacro %}

{% macro bigquery__is_event(id, received_at, type, event) -%}
    events.id = {{ id }}
    and date(events.received_at) = date({{ received_at }})
    and events.type = '{{ type }}'
    {%- if event %}
    and events.event = '{{ event }}'
    {%- endif %}
{%- endmacro %}
