-- Grain: one row for each identify call, with a column for every trait that was ever sent.
{{ select_calls(source('raw', 'identifies'), text=['email', '_nulls'], traits=true) }}
