"""Whatever way events come, their tables are equal; and the counts of every load add up."""

import gzip
import json
import os
from datetime import UTC, datetime, timedelta
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loader.ledger import IdIndex, keys_of
from loader.load import load_files
from loader.warehouse import commit_manifest, read_manifest
from tests.conftest import make_workspace, read_raw
from tests.load.nasty import Pairs, alike_events, events, values, written
from tests.load.spooled import at, track
from tests.load.test_killed_load import archived, content
from tests.spool.place import line, padded, put

FEW = {"deadline": None, "suppress_health_check": list(HealthCheck)}
# `tracks` has again what event tables have.
NOT_ROWS = {"tracks", "violations", "loads", "schema_changes"}


@st.composite
def texts(draw):
    """Events as JSON, each with an id and the time at which a collector received it."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        pairs = [p for p in draw(events(number)) if p[0] not in ("messageId", "receivedAt")]
        pairs += [("receivedAt", at(number)), ("messageId", f"m{number}")]
        found.append((draw(written(Pairs(pairs))), dict(pairs)["type"].lower()))
    return found


@settings(max_examples=12, **FEW)
@given(texts=texts(), data=st.data())
def test_lines_loads_batches_and_the_spool_give_equal_tables(tmp_path_factory, texts, data):
    folder = tmp_path_factory.mktemp("paths")
    parts = data.draw(cuts(len(texts)), label="cut where")

    def load(name, files):
        workspace = make_workspace(folder / name)
        for number, text in enumerate(files):
            path = folder / f"{name}-{number}"
            path.write_bytes(text)
            load_files(workspace, [str(path)], source="web")
        return tables(workspace)

    lines = [text for text, _ in texts]
    wanted = load("lines", [b"\n".join(lines)])
    assert load("loads", [b"\n".join(lines[part]) for part in parts]) == wanted
    batches = [b'{"batch":[' + b",".join(lines[part]) + b"]}" for part in parts]
    assert load("batches", [b"\n".join(batches)]) == wanted
    assert load("gzip", [gzip.compress(b"\r\n".join(lines))]) == wanted

    spooled = make_workspace(folder / "spooled")
    requests = [line(text, type=call, at=at(n)) for n, (text, call) in enumerate(texts)]
    for number, part in enumerate(parts):
        put(spooled.spool, padded(*requests[part]), number=number, worker=number % 2)
    load_files(spooled, [])
    assert tables(spooled) == wanted


@settings(max_examples=15, **FEW)
@given(lines=alike_events())
def test_compiled_code_and_python_give_equal_tables(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "events").write_bytes(b"\n".join(lines))

    found = {}
    for way in ("on", "off"):
        workspace = make_workspace(folder / way)
        with mock.patch.dict(os.environ, HEADWATER_KERNEL=way):
            report = load_files(workspace, [str(folder / "events")])
        found[way] = tables(workspace), archived(workspace), report.accepted, report.blocked

    assert found["on"] == found["off"]


def cuts(size):
    """Slices that make up so many items."""
    places = st.sets(st.integers(1, size - 1), max_size=3) if size > 1 else st.just(set())
    return places.map(
        lambda found: [
            slice(start, end)
            for start, end in zip([0, *sorted(found)], [*sorted(found), size], strict=True)
        ]
    )


def tables(workspace):
    """What the workspace holds, but for which loads it came in."""
    found = content(workspace)
    del found["loads"], found["schema_changes"]
    return found


@st.composite
def any_lines(draw):
    """Lines of a file of which nothing can be relied on."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        good = draw(written(draw(events(number))))
        others = [draw(written(draw(events(9 - number)))) for _ in range(draw(st.integers(0, 2)))]
        found.append(
            draw(
                st.one_of(
                    st.just(good),
                    st.just(b'{"batch":[' + b",".join([good, *others, good]) + b"]}"),
                    st.just(b'{"batch":[[],{"batch":[' + good + b"]},5]}"),
                    st.just(b'{"messageId":"b","batch":[' + good + b"]}"),
                    st.integers(0, len(good)).map(lambda end, text=good: text[:end]),
                    st.binary(max_size=30).map(lambda text: text.replace(b"\n", b"")),
                    values.flatmap(written),
                    st.sampled_from([b"", b" \t ", b"\r", b"{}", b"[]", b'{"batch":[]}', b"\xff"]),
                )
            )
        )
    return found + [found[n] for n in draw(st.lists(st.integers(0, len(found) - 1), max_size=3))]


@settings(max_examples=30, **FEW)
@given(loads=st.lists(any_lines(), min_size=1, max_size=3))
def test_what_comes_in_is_counted_once_and_rows_are_what_was_accepted(tmp_path_factory, loads):
    folder = tmp_path_factory.mktemp("counts")
    workspace = make_workspace(folder / "workspace")
    accepted = blocked = 0
    for number, lines in enumerate(loads):
        path = folder / f"{number}.ndjson"
        path.write_bytes(b"\n".join(lines))

        report = load_files(workspace, [str(path)])

        ends = (report.blocked, report.duplicates, report.suppressed, report.dropped)
        assert report.events_in == report.accepted + sum(ends)
        if not report.already_loaded:
            assert report.lines == sum(bool(text.strip()) for text in lines)
        accepted += report.accepted
        blocked += report.blocked
        rows = read_manifest(workspace).rows_by_table()
        assert sum(rows[table] for table in rows.keys() - NOT_ROWS) == accepted
        assert sum(report.tables.get(table, 0) for table in rows.keys() - NOT_ROWS) == (
            report.accepted
        )
    kept = read_raw(workspace, "select count(distinct message_id || payload) from raw.violations")
    assert kept[0][0] <= blocked <= rows["violations"]


ways = st.sampled_from(["file", "batch", "gzip", "spool", "again"])
some_ids = st.lists(st.integers(0, 9), max_size=5)


@settings(max_examples=12, **FEW)
@given(steps=st.lists(st.tuples(ways, some_ids), min_size=1, max_size=7))
def test_an_id_is_loaded_once_by_whatever_way_it_comes_again(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("once")
    workspace = make_workspace(folder / "workspace")
    known, before = set(), b""
    for number, (way, ids) in enumerate(steps):
        lines = [json.dumps(track(f"{id_}", step=number)).encode() for id_ in ids]
        text = b"\n".join(lines)
        if way == "batch":
            text = b'{"batch":[' + b",".join(lines) + b"]}"
        if way in ("spool", "again"):  # again: as if a backup of the spool were put back
            spooled = padded(*(line(found, type="track") for found in lines))
            put(workspace.spool, before + spooled if way == "again" else spooled, number=number)
            before = spooled
            report = load_files(workspace, [])
        else:
            path = folder / f"{number}"
            path.write_bytes(gzip.compress(text) if way == "gzip" else text)
            report = load_files(workspace, [str(path)])

        assert report.accepted == len(set(ids) - known)
        known |= set(ids)
    found = read_raw(workspace, "select id from raw.tracks order by id")
    assert found == [(f"{id_}",) for id_ in sorted(known)]


def test_an_id_counts_for_dedupe_days_after_it_was_loaded(workspace, load, raw):
    manifest = read_manifest(workspace)
    today = datetime.now(UTC).date()
    for days in (31, 29):
        index = IdIndex(
            *(workspace.ids, "accepted", manifest.id_runs),
            load_id=manifest.next_load_id,
            today=today - timedelta(days=days),
            dedupe_days=30,
        )
        index.add(keys_of([f"{days} days ago"]))
        manifest.id_runs = index.save()
        manifest.next_load_id += 1
    commit_manifest(workspace, manifest)

    report = load(track("31 days ago"), track("29 days ago"), track("today"))

    assert (report.accepted, report.duplicates) == (2, 1)
    again = load(track("31 days ago"), track("29 days ago"), track("today"), track("new"))
    assert (again.accepted, again.duplicates) == (1, 3)
