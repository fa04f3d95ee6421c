-- Grain: one row for each screen call.
{{ select_calls(source('raw', 'screens'), text=['name', 'category']) }}
