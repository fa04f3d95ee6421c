"""Names of tables and columns made from the names that events carry.

The rule is Segment's: ASCII letters and digits count, everything else separates; a word is a run of
capitals and digits followed by a run of lower-case letters and digits; words are joined with `_`.
Where that rule leaves nothing of a name, ours begins (see `table_name`), so that no event vanishes.
"""

import re
from functools import lru_cache
from hashlib import sha256

from anyascii import anyascii

MAX_NAME_BYTES = 100
CALL_TABLES = {
    "track": "tracks",
    "identify": "identifies",
    "page": "pages",
    "screen": "screens",
    "group": "groups",
    "alias": "aliases",
}
# Tables that exist in `raw` or in a source's own schema whatever events arrive.
OUR_TABLES = frozenset(
    {*CALL_TABLES.values(), "violations", "loads", "schema_changes", "users", "accounts"}
)

_WORD = re.compile(r"[A-Z0-9]+[a-z0-9]*|[a-z0-9]+")
_ASCII_LETTER = re.compile(r"[A-Za-z]")


def snake_case(name: str) -> str:
    """`name` by Segment's rule; "" for a name without an ASCII letter or digit.

    Source: the go-snakecase library's rules and tests, which Segment's warehouses follow.
    """
    return "_".join(_WORD.findall(name)).lower()


def _slug(name: str, otherwise: str) -> str:
    """`name` snake-cased and bounded, never empty; `otherwise` begins a name made from a hash."""
    is_foreign = not _ASCII_LETTER.search(name) and any(letter.isalpha() for letter in name)
    slug = snake_case(anyascii(name) if is_foreign else name)
    if not slug:
        return f"{otherwise}_{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    if len(slug) > MAX_NAME_BYTES:
        return f"{slug[:91]}_{sha256(slug.encode()).hexdigest()[:8]}"
    return slug


@lru_cache(maxsize=65_536)
def table_name(event: str) -> str:
    """The raw table of the track event called `event`.

    `Заказ оформлен` -> `zakaz_oformlen` (letters, none of them ASCII: transliterated), `🎉` ->
    `event_<8 hex>`, `Pages` -> `pages_event` (its own name is a table of ours).
    """
    slug = _slug(event, "event")
    return f"{slug}_event" if slug in OUR_TABLES else slug


@lru_cache(maxsize=65_536)
def column_name(path: tuple[str, ...]) -> str:
    """The column of the value at `path`: keys below `properties` or `traits`, or from `context`."""
    return _slug("_".join(_slug(key, "property") for key in path), "property")
