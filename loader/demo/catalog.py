"""What the invented shop has: people's names, places, pages, products, and its track events."""

FIRST_NAMES = (  # as written, as in an email address
    ("Ivan", "ivan"),
    ("Anna", "anna"),
    ("María", "maria"),
    ("José", "jose"),
    ("Zoë", "zoe"),
    ("François", "francois"),
    ("Søren", "soren"),
    ("Łukasz", "lukasz"),
    ("Иван", "ivan2"),
    ("Ольга", "olga"),
    ("美咲", "misaki"),
    ("伟", "wei"),
    ("Aoife", "aoife"),
    ("Jürgen", "jurgen"),
    ("Nguyễn", "nguyen"),
    ("Ahmed", "ahmed"),
    ("Priya", "priya"),
    ("Chloé", "chloe"),
    ("Mateo", "mateo"),
    ("Emma", "emma"),
)
LAST_NAMES = (  # as written, as in an email address
    ("Petrov", "petrov"),
    ("Smith", "smith"),
    ("García", "garcia"),
    ("Müller", "muller"),
    ("O'Neil", "oneil"),
    ("Дмитриев", "dmitriev"),
    ("佐藤", "sato"),
    ("王", "wang"),
    ("Øvergård", "overgard"),
    ("Kowalski", "kowalski"),
    ("da Silva", "dasilva"),
    ("Nguyen", "nguyen"),
    ("Khan", "khan"),
    ("Dubois", "dubois"),
    ("Rossi", "rossi"),
    ("Brown", "brown"),
)
# The last one is rare: an address that is not ASCII.
EMAIL_DOMAINS = (
    "example.com",
    "mail.example.org",
    "corp.example.net",
    "example.co.uk",
    "почта.example",
)

PLACES = (  # (locale, time zone)
    ("ru-RU", "Europe/Moscow"),
    ("en-US", "America/New_York"),
    ("en-GB", "Europe/London"),
    ("de-DE", "Europe/Berlin"),
    ("fr-FR", "Europe/Paris"),
    ("es-ES", "Europe/Madrid"),
    ("ja-JP", "Asia/Tokyo"),
    ("pt-BR", "America/Sao_Paulo"),
    ("pl-PL", "Europe/Warsaw"),
    ("zh-CN", "Asia/Shanghai"),
)
CURRENCIES = ("RUB", "USD", "EUR", "RUB")  # roubles half of the time

_WEBKIT = "(KHTML, like Gecko)"
DESKTOP_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    f" {_WEBKIT} Chrome/%d.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
    f" {_WEBKIT} Version/17.%d Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/%d.0",
)
PHONE_BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15"
    f" {_WEBKIT} Version/17.%d Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36"
    f" {_WEBKIT} Chrome/%d.0.0.0 Mobile Safari/537.36",
)

# (source, medium, name) as they stand in JSON: one name holds an escape.
CAMPAIGNS = (
    ("google", "cpc", "spring_sale"),
    ("newsletter", "email", "weekly-42"),
    ("facebook", "social", "retargeting"),
    ("partner", "referral", r"x\u0026y"),
    ("yandex", "cpc", "весна"),
)
PAGES = (  # (name, path)
    ("Home", "/"),
    ("Product", "/p/%d"),
    ("Listing", "/c/%d"),
    ("Cart", "/cart"),
    ("Checkout", "/checkout"),
    ("Docs", "/docs/%d"),
    ("Pricing", "/pricing"),
    ("Blog", "/blog/%d"),
)
SCREENS = ("Home", "Feed", "Product", "Cart", "Profile", "Settings")
INDUSTRIES = ("Technology", "Retail", "Finance", "Healthcare", "Education")
CATEGORIES = (
    "subscription",
    "electronics",
    "books",
    "home & garden",
    "игрушки",
    "spielwaren",
    "apparel",
    "beauty",
)
PRODUCTS = 5000
# Queries as they stand in JSON.
QUERIES = ("phone", "книга", "café au lait", "スマホ", r"a \"quoted\" term", "emoji 🎁 gift")

# Each track event and how often it comes among the others.
EVENT_WEIGHTS = {
    "Product Viewed": 18,
    "Product List Viewed": 11,
    "Product Clicked": 9,
    "Button Clicked": 9,
    "Product Added": 7,
    "Products Searched": 6,
    "Promotion Viewed": 5,
    "Cart Viewed": 4,
    "Checkout Started": 3.5,
    "Order Completed": 3,
    "Checkout Step Viewed": 3,
    "Checkout Step Completed": 2.5,
    "Payment Info Entered": 2.5,
    "Product Removed": 2,
    "Promotion Clicked": 2,
    "Product List Filtered": 2,
    "Signed In": 2,
    "Product Added to Wishlist": 1.5,
    "Application Opened": 1.5,
    "Coupon Applied": 1.2,
    "Signed Up": 1,
    "Subscription Started": 0.9,
    "Product Reviewed": 0.8,
    "Order Refunded": 0.3,
    "Order Cancelled": 0.3,
    "Order Updated": 0.4,
    "Trial Ended": 0.3,
}
