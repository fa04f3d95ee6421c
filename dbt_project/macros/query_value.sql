{# The first column of the first row that `sql` gives now. #}
{% macro query_value(sql) -%}
    {{ return(run_query(sql).columns[0].values()[0]) }}
{%- endmacro %}
