-- Grain: one row for each group call, with a column for every trait that was ever sent.
{{ select_calls(source('raw', 'groups'), text=['group_id', '_nulls'], traits=true) }}
