-- Grain: one row for each Order Completed event.
{{ select_calls(
    source('raw', 'order_completed'),
    text=['order_id', 'currency', 'products'],
    amounts=['total', 'revenue']
) }}
