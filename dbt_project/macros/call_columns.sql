{# The columns that every kind of call has in raw and in staging, with their types. #}
{% macro call_columns() -%}
    {%- set text = dbt.type_string() -%}
    {%- set columns = {
        'id': text,
        'user_id': text,
        'anonymous_id': text,
        'timestamp': type_timestamptz(),
        'received_at': type_timestamptz(),
        'context_traits_email': text,
        'context_device_id': text,
        'context_device_type': text,
        'context_device_advertising_id': text,
        'context_device_ad_tracking_enabled': text,
        'context_device_token': text,
        'context_integrations_google_analytics_client_id': text,
        'context_external_ids': text,
        'context_page_url': text,
        'context_page_path': text,
        'context_page_title': text,
        'context_page_referrer': text,
        'context_page_search': text,
        'source_id': text,
        'load_id': dbt.type_bigint(),
        '_seq': dbt.type_bigint(),
    } -%}
    {{ return(columns) }}
{%- endmacro %}
