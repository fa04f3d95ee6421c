"""The properties of each track event; some appear, or change their type, during the month."""

from loader.demo import catalog, shopping
from loader.demo.moment import Moment, Properties, Writer

_EVENTS = tuple(catalog.EVENT_WEIGHTS)


def write_track(event: int, moment: Moment) -> tuple[str, str, str]:
    """(name, properties, broken rule) of the event at this place of the catalog."""
    name = _EVENTS[event]
    properties, broken_rule = _WRITERS.get(name, _promotion)(moment)
    h = moment.hash
    if moment.day > 10 and h % 3:
        properties += f',"ab_variant":"{"AB"[h >> 7 & 1]}"'
    if not h >> 21 & 255:
        properties += f',"meta":{{"exp":{{"id":{h % 100},"arms":["a","b"]}},"flags":{{}}}}'
    return name, properties, broken_rule


def _promotion(moment: Moment) -> Properties:
    return (
        f'"promotion_id":"promo_{moment.hash % 30}","creative":"top_banner",'
        '"name":"75% store-wide sale","position":"home_banner_top"'
    ), ""


def _button(moment: Moment) -> Properties:
    h = moment.hash
    label = ("Buy now", "Оплатить", "Learn more →")[h % 3]
    properties = (
        f'"label":"{label}","value":{h % 10 if h & 1 else h % 100 / 8},'
        f'"session_id":{10**18 + h % 10**17}'
    )
    if h & 2:
        properties += f',"xy":[{h % 1900},{h >> 20 & 1023}]'
    if h % 1000 == 0:
        properties += f',"huge":{2**63 + h}'  # beyond 64 bits with a sign
    return properties, ""


def _search(moment: Moment) -> Properties:
    h = moment.hash
    key, broken_rule = ("q", "required") if moment.breaks else ("query", "")
    return f'"{key}":"{catalog.QUERIES[h % 6]}","results":{h % 300}', broken_rule


def _subscription(moment: Moment) -> Properties:
    h = moment.hash
    cycle = ("monthly", "yearly")[h >> 1 & 1]
    if moment.breaks:
        cycle = f"every_{cycle}"
    return (
        f'"plan":"{("pro", "enterprise")[h & 1]}","revenue":2990,'
        f'"currency":"{moment.currency}","billing_cycle":"{cycle}","payment_method":"card",'
        f'"mrr":{249.17 if h & 2 else 2990}'
    ), "enum" if moment.breaks else ""


def _signed_up(moment: Moment) -> Properties:
    h = moment.hash
    key, broken_rule = ("e_mail", "required") if moment.breaks else ("email", "")
    email = moment.email or f"guest{h % 9999}@example.com"
    method = ("google", "email")[h & 1]
    return f'"{key}":"{email}","plan":"free","method":"{method}"', broken_rule


def _signed_in(moment: Moment) -> Properties:
    return f'"method":"password","remember":{"true" if moment.hash & 1 else "false"}', ""


def _checkout_step(moment: Moment) -> Properties:
    h = moment.hash
    return (
        f'"checkout_id":"chk_{h % 10**8}","step":{1 + h % 4},"shipping_method":"Fedex",'
        '"payment_method":"Visa"'
    ), ""


def _payment_info(moment: Moment) -> Properties:
    properties, _ = _checkout_step(moment)
    if not moment.breaks:
        return properties, ""
    step = 1 + moment.hash % 4
    return properties.replace(f'"step":{step}', f'"step":"{step}"'), "type"


def _coupon(moment: Moment) -> Properties:
    h = moment.hash
    negative, broken_rule = ('-1,"d":', "minimum") if moment.breaks else ("", "")
    return (
        f'"order_id":"ORDER-{h % 10**9}","cart_id":"c{h % 99999}","coupon_id":"may_deals_3",'
        f'"coupon_name":"May Deals 30%","discount":{negative}{h % 5000 / 100}'
    ), broken_rule


def _review(moment: Moment) -> Properties:
    h = moment.hash
    return (
        f'"product_id":"SKU-{moment.product:04d}","review_id":"r{h % 10**6}",'
        rf'"review_body":"Отличный товар! «5 звёзд» — spécial \n line two","rating":"{1 + h % 5}"'
    ), ""


_WRITERS: dict[str, Writer] = {
    "Product Viewed": shopping.planned_product,
    "Product Added": shopping.planned_product,
    "Product Clicked": shopping.product,
    "Product Removed": shopping.product,
    "Product Added to Wishlist": shopping.product,
    "Product List Viewed": shopping.planned_products,
    "Product List Filtered": shopping.filtered_products,
    "Promotion Viewed": shopping.products,
    "Order Completed": shopping.order_completed,
    "Order Refunded": shopping.order_refunded,
    "Checkout Started": shopping.checkout_started,
    "Order Updated": shopping.unplanned_order,
    "Order Cancelled": shopping.unplanned_order,
    "Cart Viewed": shopping.unplanned_order,
    "Products Searched": _search,
    "Product Reviewed": _review,
    "Subscription Started": _subscription,
    "Signed Up": _signed_up,
    "Signed In": _signed_in,
    "Button Clicked": _button,
    "Checkout Step Viewed": _checkout_step,
    "Checkout Step Completed": _checkout_step,
    "Payment Info Entered": _payment_info,
    "Coupon Applied": _coupon,
}
