"""BigQuery as the warehouse: what the lake's loads become there, and how it is asked."""
