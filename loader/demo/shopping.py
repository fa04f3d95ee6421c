"""Properties of the events about products, lists of them, and orders."""

from bisect import bisect_right
from functools import partial

from loader.demo import catalog
from loader.demo.clock import iso
from loader.demo.moment import Moment, Properties, Writer


def _price(product: int) -> float:
    return 5 + (product * 37 % 20000) / 10


def _sku(product: int) -> str:
    return f'"product_id":"SKU-{product:04d}","sku":"SKU-{product:04d}","name":"Product №{product}"'


def product(moment: Moment) -> Properties:
    """One product that somebody looks at or handles."""
    h, number = moment.hash, moment.product
    price = round(_price(number) + (0.99 if number & 1 else 0), 2)
    # The type drifts: late in the month one position in twenty is a string.
    position = h % 40 if moment.day < 22 or h % 20 else f'"{h % 40}"'
    properties = (
        f'{_sku(number)},"price":{price:g},"category":"{catalog.CATEGORIES[number % 8]}",'
        f'"quantity":{1 + h % 3},"position":{position},"currency":"{moment.currency}",'
        f'"variant":"{("S", "M", "L", "XL")[h >> 9 & 3]}",'
        f'"url":"https://shop.example.com/p/{number}"'
    )
    if not h & 3:
        properties += ',"coupon":null'
    if moment.day > 15 and h % 10 == 0:
        window = f'{{"from":"{iso(moment.happened_at)[:10]}","days":{h % 7}}}'
        properties += f',"delivery":{{"window":{window},"type":"courier"}}'
    return properties, ""


def planned_product(moment: Moment) -> Properties:
    """The same for an event that has a contract."""
    properties, _ = product(moment)
    if not moment.breaks:
        return properties, ""
    if moment.flaw < 0.5:
        before, key, rest = properties.partition('"price":')
        price, comma, after = rest.partition(",")
        return f'{before}{key}"{price}"{comma}{after}', "type"
    _, _, without_id = properties.partition(",")
    return without_id, "required"


def products(moment: Moment) -> Properties:
    """A list of products that is shown."""
    h, number = moment.hash, moment.product
    shown = ",".join(
        f'{{"product_id":"SKU-{(number + place) % 5000:04d}","position":{place + 1},'
        f'"price":{5 + (number + place) % 300}}}'
        for place in range(1 + h % 4)
    )
    return (
        f'"list_id":"list_{h % 40}","category":"{catalog.CATEGORIES[h % 8]}","products":[{shown}]',
        "",
    )


def planned_products(moment: Moment) -> Properties:
    """The same for an event that has a contract."""
    properties, _ = products(moment)
    if not moment.breaks:
        return properties, ""
    number = moment.hash % 40
    return properties.replace(f'"list_{number}"', str(number), 1), "type"


def filtered_products(moment: Moment) -> Properties:
    """A list that somebody narrowed down and sorted."""
    properties, _ = products(moment)
    filters = '[{"type":"department","value":"beauty"},{"type":"price","value":"under-$25"}]'
    return f'{properties},"filters":{filters},"sorts":[{{"type":"price","value":"desc"}}]', ""


def _order(moment: Moment, flaws: tuple[str, ...] = ()) -> Properties:
    """An order or a cart; `flaws` are the rules that it may break, from likely to unlikely."""
    h = moment.hash
    items, subtotal = _items(h, moment.product)
    flaw = flaws[bisect_right((0.5, 0.7, 0.85), moment.flaw)] if moment.breaks and flaws else ""
    order_id = "" if flaw == "required" else f'"order_id":"ORDER-{h % 10**9}",'
    total = round(subtotal + 5.5, 2)
    amount = f"{total:g}" if total != int(total) else f"{int(total)}"
    if flaw == "type":
        amount = f'"{amount}"'
    if flaw == "items":
        items = items.replace('"price":', '"price_":', 1)
    properties = (
        f'{order_id}"affiliation":"Web Store","total":{amount},"subtotal":{subtotal:g},'
        f'"revenue":{subtotal:g},"shipping":5,"tax":{h % 50 / 100},"discount":0,'
        f'"currency":"{"GBP" if flaw == "enum" else moment.currency}","products":[{items}]'
    )
    if moment.day > 20 and not h & 7:
        properties += r',"coupon_stack":["SPRING",{"code":"X\"Y","pct":5}]'
    return properties, flaw


def _items(h: int, first: int) -> tuple[str, float]:
    items, subtotal = [], 0.0
    for place in range(1 + (h >> 13) % 4):
        number = (first + place * 977) % catalog.PRODUCTS
        price = round(_price(number), 2)
        subtotal += price
        category = catalog.CATEGORIES[number % 8]
        items.append(f'{{{_sku(number)},"price":{price:g},"quantity":1,"category":"{category}"}}')
    return ",".join(items), round(subtotal, 2)


unplanned_order: Writer = _order
order_completed: Writer = partial(_order, flaws=("type", "required", "enum", "items"))
checkout_started: Writer = partial(_order, flaws=("type", "required", "enum", "required"))
order_refunded: Writer = partial(_order, flaws=("type", "required", "required", "required"))
