"""Events as nobody would write them by hand, as JSON text, and what that text says."""

import json
import re
from random import Random
from typing import Any

from hypothesis import strategies as st

LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# Numbers as they may be spelt: JSON's grammar allows more than any encoder writes.
numbers = st.sampled_from(
    [
        *("0", "1", "7", "-3", "1.0", "1.5", "-0", "-0.0", "0.1", "1E5", "1e-7", "1e308", "5e-324"),
        *("9007199254740992", "9007199254740993", "9007199254740992.0", "-9007199254740993"),
        *("9223372036854775807", "9223372036854775808", "-9223372036854775808"),
        *("18446744073709551616", "1" + "0" * 30, "7" * 600, "1.7976931348623157e308", "1e22"),
        *("123456789012345678901234567890.5", "1714557600", "1714557600123", "1714557600.25"),
        *("1714557600.1234567", "1714557600123.4567", "99999999999999", "-1"),
    ]
) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
moments = st.sampled_from(
    [
        *("2024-05-01T10:00:00Z", "2024-05-01T10:00:00.5Z", "2024-05-01T10:00:00.123Z"),
        *("2024-05-01T10:00:00.123456Z", "2024-05-01T10:00:00.1234567Z", "2024-05-01T10:00Z"),
        *("2024-05-01T10:00:00.123456789Z", "2024-05-01T10:00:00.100000000Z"),
        *("2024-05-01T10:00:00+03:00", "2024-05-01T10:00:00.25-0930", "2024-05-01T10:00:00-00:00"),
        *("2024-05-01T10:00:00", "2024-05-01", "2024-05-01 10:00:00Z", "20240501T100000Z"),
        *("2016-12-31T23:59:60Z", "2024-05-01T24:00:00Z", "2024-02-30T10:00:00Z", "2024-W18-3"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z"),
        *("9999-12-31T23:59:59.999999Z", "0000-01-01T00:00:00Z", "2124-05-01T10:00:00Z"),
        *("2024-05-01t10:00:00z", "1 May 2024", "10:00", "1714557600", "2024-05-01T10:00:00,5Z"),
    ]
)
texts = (
    st.sampled_from(
        ["", "a", "5", "1.0", "true", "null", "[1]", '{"a":1}', "2024-05-01", " ", "🎉"]
    )
    | moments
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=6)
    | st.text(max_size=20)
)
keys = st.sampled_from(
    [
        *("a", "b", "A", "total", "priceUSD", "price_usd", "price usd", "a_b", "a.b", "_a", ""),
        *("id", "timestamp", "received_at", "sentAt", "event", "event_text", "user_id", "userId"),
        *("loadId", "_seq", "_rescued", "_date", "date", "context", "context_ip", "context_a"),
        *("a/b", "a~b", "~1", "/", "select", "order", "group", "filename", "_file", "name"),
        *("category", "path", "заказ", "🎉", "é", "a\x00b", '"', "\\", "x" * 200, "toString"),
    ]
) | st.text(max_size=3)


def odds(against: int) -> st.SearchStrategy[bool]:
    """True once in so many and one."""
    return st.integers(0, against).map(lambda drawn: drawn == 0)


class Pairs(list[tuple[str, Any]]):
    """A JSON object as it is written: a key may come twice."""


class Number(str):
    """A number as it is spelt."""


scalars = st.one_of(st.none(), st.booleans(), numbers.map(Number), texts)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(keys, inner), max_size=3).map(Pairs)
    ),
    max_leaves=5,
)


@st.composite
def objects(draw: st.DrawFn) -> Pairs:
    """Properties, traits or a context: some keys, now and then nested deep."""
    pairs = Pairs(draw(st.lists(st.tuples(keys, values), max_size=6)))
    if draw(st.integers(0, 9)) == 0:
        inner: Any = draw(scalars)
        for _ in range(draw(st.integers(1, 40))):
            inner = Pairs([(draw(st.sampled_from(["a", "/", "~"])), inner)])
        pairs.append(("deep", inner))
    return pairs


@st.composite
def events(draw: st.DrawFn, number: int) -> Pairs:
    """One event, most likely good, whose id `number` tells from all others."""
    call = draw(st.sampled_from(["track"] * 6 + ["identify", "Page", "screen", "group", "alias"]))
    body = "traits" if (call in ("identify", "group", "alias")) != draw(odds(9)) else "properties"
    names = ["Order Done", "order_done", "Select", "Заказ", "🎉", "Tracks", "\x00", "y" * 200]
    ids = [f"m{number}", f"é🎉{number}", Number(number), Number(f"{number}.5"), None, "", False]
    odd = [None, "", Number(5), Number("1.0"), Number("1e22"), True, [Number(1)], Pairs()]
    pairs = Pairs(
        [
            ("messageId", draw(st.sampled_from(ids))),
            ("version", Number(number)),
            ("type", call),
            (body, draw(objects() if draw(st.integers(0, 9)) else values)),
            ("event", draw(st.sampled_from(names))),
        ]
    )
    if draw(st.integers(0, 9)):
        pairs.append(("anonymousId", f"a{number}"))
    maybe = {
        "context": objects() | values,
        "userId": st.sampled_from(["u", *odd]),
        "groupId": st.sampled_from(["g", *odd]),
        "previousId": st.sampled_from(["p", *odd]),
        "name": values,
        "category": values,
        "integrations": values,
        "writeKey": st.sampled_from(["secret", Number(5), None]),
        "_metadata": values,
        "nobody knows/~it": values,
    }
    times = ("receivedAt", "sentAt", "originalTimestamp", "timestamp")
    maybe |= {field: moments | numbers.map(Number) | values for field in times}
    for field, strategy in maybe.items():
        if draw(st.integers(0, 3)) == 0:
            pairs.append((field, draw(strategy)))
    return Pairs(draw(st.permutations(pairs)))


def varied(pairs: Pairs, number: int, others: list[Any], seed: Random) -> Pairs:
    """The event anew under another id, some keys left out, some values replaced by `others`: what a
    loader that knows its keys already may take for the same again. Mostly its envelope is plain.
    """

    def other(value: Any) -> Any:
        if isinstance(value, Pairs):
            return Pairs([(k, other(v)) for k, v in value if seed.random() < 0.7])
        return seed.choice(others) if seed.random() < 0.1 else value

    parts = ("properties", "traits", "context")
    found = [(field, other(v) if field in parts else v) for field, v in pairs]
    if seed.random() < 0.8:
        call = dict(found)["type"].lower()
        body = "traits" if call in ("identify", "group", "alias") else "properties"
        at = f"2024-05-01T10:00:0{number % 10}.5Z"
        kept = [(f, v) for f, v in found if f in (body, "context") and isinstance(v, Pairs)]
        kept += [("event", dict(found)["event"])] if call == "track" else []
        found = [*kept, ("type", call), ("userId", "u"), ("receivedAt", at), ("sentAt", at)]
        times = ("2024-05-01T09:00:00Z", "2024-05-01T09:00:01.25Z", at, None)
        found += [(f, seed.choice(times)) for f in ("originalTimestamp", "timestamp")]
    found = [(f, v) for f, v in found if f not in ("messageId", "version")]
    return Pairs([("messageId", f"again {number}"), *found, ("version", Number(number))])


class Lines(list[bytes]):
    """Too many to be printed."""

    def __repr__(self) -> str:
        return f"{len(self)} lines, of them {b' '.join(self[:5])!r}"


@st.composite
def alike_events(draw: st.DrawFn) -> Lines:
    """Some hundred events of few kinds with few keys, now and then with a value of another kind."""
    some_keys = st.sampled_from(["a", "b", "B", "a b", "id", "name", "ж", "context_x", "~/"])
    flat = st.dictionaries(some_keys, scalars | st.lists(scalars, max_size=2), max_size=5)
    nested = st.dictionaries(some_keys, flat.map(pairs_of), max_size=1)
    parts = {"properties", "traits", "context"}
    ours = {*parts, "event", "receivedAt"}
    found = []
    for kind in range(draw(st.integers(1, 4))):
        event = [(f, v) for f, v in draw(events(kind)) if f not in ours]
        event += [("event", draw(st.sampled_from("ABC"))), ("receivedAt", "2024-05-01T10:00:00Z")]
        bodies = [(f, pairs_of({**draw(flat), **draw(nested)})) for f in sorted(parts)]
        found.append(Pairs([*event, *bodies]))
    others = draw(st.lists(scalars, min_size=5, max_size=10))
    seed = Random(draw(st.integers(0, 2**32)))
    return Lines(as_json(varied(found[n % len(found)], n, others, seed), seed) for n in range(200))


def pairs_of(found: dict[str, Any]) -> Pairs:
    return Pairs(found.items())


def fillers(first: int) -> list[bytes]:
    """Plain events, as many as a loader takes together before it knows what it saw."""
    event = {"type": "track", "event": "Plain", "anonymousId": "a", "properties": {"n": 1}}
    return [json.dumps({**event, "messageId": f"plain {first + n}"}).encode() for n in range(64)]


def written(value: Any) -> st.SearchStrategy[bytes]:
    """The value as JSON text."""
    return st.integers(0, 2**32).map(lambda seed: as_json(value, Random(seed)))


def as_json(value: Any, seed: Random) -> bytes:
    """The value as JSON text: escapes, white space and the spelling of numbers as they may be."""

    def space() -> str:
        return seed.choice(["", "", "", "", " ", "\t", "  \r"])

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=seed.random() < 0.2 or has_lone_surrogate(text))

    def of(part: Any) -> str:
        if isinstance(part, Number):
            return str(part)
        if isinstance(part, str):
            return quoted(part)
        if isinstance(part, Pairs):
            inner = (f"{space()}{quoted(name)}{space()}:{of(item)}" for name, item in part)
            return "{" + ",".join(inner) + space() + "}"
        if isinstance(part, list):
            return "[" + ",".join(f"{space()}{of(item)}{space()}" for item in part) + "]"
        return json.dumps(part)

    return of(value).encode()


def has_lone_surrogate(text: str) -> bool:
    return LONE_SURROGATE.search(text) is not None


def said(text: bytes) -> Any:
    """What a JSON text says, halves of surrogate pairs being U+FFFD."""

    def mended(value: Any) -> Any:
        if isinstance(value, str):
            return LONE_SURROGATE.sub("\ufffd", value)
        return [mended(item) for item in value] if isinstance(value, list) else value

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        return {mended(name): mended(value) for name, value in found}

    return mended(json.loads(text, object_pairs_hook=pairs))
