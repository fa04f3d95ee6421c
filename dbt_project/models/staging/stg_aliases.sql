-- Grain: one row for each alias call.
{{ select_calls(source('raw', 'aliases'), text=['previous_id']) }}
