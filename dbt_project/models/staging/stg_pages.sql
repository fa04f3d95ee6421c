-- Grain: one row for each page call.
{{ select_calls(
    source('raw', 'pages'),
    text=['name', 'category', 'url', 'path', 'title', 'referrer', 'search']
) }}
