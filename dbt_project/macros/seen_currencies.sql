{#
    The currencies (three letters, as in ISO 4217) of the lifetime values in `computed_traits`,
    sorted: each is a column of users. Anything else that an event called a currency is no name for
    a column and stays in computed_traits alone.
#}
{% macro seen_currencies(computed_traits) -%}
    {%- set seen = [] -%}
    {%- if execute -%}
        {%- set query -%}
            select distinct currency from {{ computed_traits }}
            where trait = 'lifetime_value' and {{ matches_any('currency', ['[A-Z]{3}']) }}
            order by currency
        {%- endset -%}
        {%- do seen.extend(run_query(query).columns[0].values()) -%}
    {%- endif -%}
    {{ return(seen) }}
{%- endmacro %}
