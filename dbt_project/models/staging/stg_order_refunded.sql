-- Grain: one row for each Order Refunded event.
{{ select_calls(source('raw', 'order_refunded'), text=['order_id']) }}
