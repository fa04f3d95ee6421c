-- Grain: one row for each track call.
{{ select_calls(source('raw', 'tracks'), text=['event', 'event_text']) }}
