{# Post-hook of a model that selects by in_new_loads(): every load of this run is now in it. #}
{% macro record_applied_loads() -%}
    insert into {{ ref('int_applied_loads') }} (model_name, load_id)
    select distinct
        '{{ this.identifier }}',
        load_id
    from {{ ref('int_loads') }}
    where load_id not in (
        select load_id from {{ ref('int_applied_loads') }} where model_name = '{{ this.identifier }}'
    )
{%- endmacro %}
