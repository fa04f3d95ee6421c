"""Nothing is lost: each scalar of what was accepted is found again, what was blocked is whole."""

import json
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loader.demo.generator import generate
from loader.event.surrogates import mend
from loader.load import load_files
from tests.conftest import make_workspace, read_raw
from tests.load.nasty import (
    Number,
    Pairs,
    as_json,
    events,
    fillers,
    objects,
    said,
    values,
    varied,
    written,
)
from tests.load.rebuild import alike, as_id, lost, read_rows

EVENTS = 20_000


class Sent(NamedTuple):
    """An event as it was sent: its text, what that says, and the id that it is stored under."""

    text: bytes
    event: Any
    id: str
    context: Any = None  # of its batch, beside one of its own that is no object


def sent(text, place=""):
    event = said(text)
    given = event.get("messageId") if isinstance(event, dict) else None
    place = place if isinstance(event, dict) else ""
    made = f"file-{sha256(mend(text).rstrip()).hexdigest()}{place}"
    return Sent(text, event, as_id(given) or made)


def complete(found, around):
    """What was sent with what its batch says for all events."""
    event = found.event
    if not isinstance(event, dict):
        return found
    times = {f: around.get(f) for f in ("sentAt", "receivedAt") if event.get(f) is None}
    own, shared = event.get("context"), around.get("context")
    if isinstance(shared, dict) and own in (None, []):
        own = {}
    context = {**shared, **own} if isinstance(shared, dict) and isinstance(own, dict) else own
    beside = shared if context is own else None
    return found._replace(event={**event, **times, "context": context}, context=beside)


@st.composite
def batches(draw, first):
    """A line with a few events, or now and then what is none."""
    texts = [draw(written(draw(events(first + n)))) for n in range(draw(st.integers(0, 3)))]
    if draw(st.integers(0, 5)) == 0:
        texts.append(draw(written([Number(first + len(texts)), draw(values)])))
    fields = {"sentAt": values, "receivedAt": values, "context": objects() | values}
    around = Pairs((name, draw(fields[name])) for name in fields if draw(st.booleans()))
    head = draw(written(Pairs([("integrations", Pairs()), *around]))).rstrip()[:-1]
    return head + b',"batch" :[' + b" , ".join(texts) + b"]}", (texts, said(head + b"}"))


@st.composite
def loads(draw):
    """The lines of each load, and of one that is a batch what is sent in it."""
    found = []
    for load in range(draw(st.integers(1, 3))):
        firsts = range(100 * load, 100 * load + 4 * draw(st.integers(1, 4)), 4)
        plain = [draw(events(first)) for first in firsts if draw(st.integers(0, 2))]
        lines = [(draw(written(pairs)), None) for pairs in plain]
        lines += [draw(batches(first + 1)) for first in firsts if draw(st.integers(0, 2)) == 0]
        if draw(st.booleans()):
            lines += [(text, None) for text in fillers(1_000 * load)]
            others, seed = draw(st.lists(values, min_size=3)), Random(draw(st.integers(0, 2**32)))
            again = [varied(e, 100 * load + n, others, seed) for n, e in enumerate(3 * plain)]
            lines += [(as_json(event, seed), None) for event in again]
        found.append(lines or [(text, None) for text in fillers(1_000 * load)])
    return found


def all_sent(found):
    for line, batch in found:
        if batch is None:
            yield sent(line)
        else:
            texts, around = batch
            for place, text in enumerate(texts):
                yield complete(sent(text, f"-{place}"), around)


def check(workspace, everything):
    """Each event is found again in its row or, whole, in a violation."""
    tables = read_rows(workspace)
    stored = {id_ for rows in tables.values() for id_ in rows}
    found = read_raw(workspace, "select message_id, payload from raw.violations")
    payloads = {id_: json.loads(payload) for id_, payload in found}
    missing = []
    for one in everything:
        if one.id in stored:
            missing += lost(one.event, tables, one.id)
            if isinstance(one.context, dict):
                missing += lost({**one.event, "context": one.context}, tables, one.id)
        elif not is_kept(one, payloads[one.id]):
            missing.append(f"{one} is not {payloads[one.id]}")
    assert not missing, "\n".join(missing)
    assert len(stored) + len(payloads.keys() - stored) == len(everything)


def is_kept(one, payload):
    """Whether what was blocked is kept whole: as it was sent, or brought into our form."""
    if isinstance(payload, str):
        return payload.encode() == one.text
    return all(
        alike(payload.get(field), value)
        or payload[field] == (as_id(value) if field.endswith("Id") else str(value).lower())
        for field, value in one.event.items()
        if field not in ("writeKey", "_metadata", "messageId")
        and not (value in (None, []) and payload.get(field) in (None, {}))
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(loads=loads())
def test_every_scalar_of_every_event_is_found_again(tmp_path_factory, loads):
    folder = tmp_path_factory.mktemp("rebuild")
    workspace = make_workspace(folder / "workspace")
    everything = []
    for number, found in enumerate(loads):
        path = folder / f"{number}.ndjson"
        path.write_bytes(b"".join(line + b"\n" for line, _ in found))
        report = load_files(workspace, [str(path)])
        some = list(all_sent(found))
        everything += some

        assert report.events_in == len(some) == report.accepted + report.blocked

    check(workspace, everything)


def test_every_scalar_of_generated_events_is_found_again(workspace, tmp_path):
    path = tmp_path / "events.ndjson"
    planted = generate(path, EVENTS, chunk_events=5_000)

    report = load_files(workspace, [str(path)])

    first = {}
    for line in path.read_bytes().splitlines():
        try:
            one = sent(line)
        except ValueError:
            continue  # torn
        first.setdefault(one.id, one)
    tables = read_rows(workspace)
    stored = {id_ for rows in tables.values() for id_ in rows}
    missing = [text for id_ in stored for text in lost(first[id_].event, tables, id_)]
    assert not missing, "\n".join(missing)
    torn = planted["malformed"]  # counted among what is blocked
    assert len(stored) == report.accepted == planted["unique"] + torn - report.blocked
