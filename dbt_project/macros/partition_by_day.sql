{# A model's config `partition_by`: the day of `column`. DuckDB's tables have no partitions. #}
{% macro partition_by_day(column) -%}
    {{ return({'field': column, 'data_type': 'timestamp'} if target.type == 'bigquery' else none) }}
{%- endmacro %}
