"""The whole road on real BigQuery; run by `-m live` alone."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.bigquery.live.conftest import Place
from tests.twin.receiver import serving

pytestmark = [
    pytest.mark.live,
    pytest.mark.filterwarnings("ignore:Your application has authenticated using end user"),
]

DAYS = 10
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
THINGS = (
    "select id, user_id, received_at, n, whole, seen_at, kind, to_json_string(_rescued) as rescued "
    "from `{raw}.thing` where received_at >= '2000-01-01'"
)


def moment(day: int, number: int) -> str:
    return (TODAY - timedelta(days=day) + timedelta(seconds=number)).isoformat()


def thing(number: int, day: int) -> dict:
    """A track event; every seventh has a `kind` that its column can't hold."""
    return {
        "type": "track",
        "event": "Thing",
        "userId": f"u{number % 50}",
        "messageId": f"thing-{number}",
        "receivedAt": moment(day, number),
        "timestamp": moment(day, number),
        "properties": {
            "n": number / 4,
            "whole": 2**53 + number,  # more than a float can tell apart
            "seen_at": f"2026-03-04T05:06:07.{number:06d}Z",
            "kind": "seven" if number % 7 == 0 else True,
        },
    }


def identify(number: int) -> dict:
    return {
        "type": "identify",
        "userId": f"u{number}",
        "messageId": f"identify-{number}",
        "receivedAt": moment(1, number),
        "timestamp": moment(1, number),
        "traits": {"email": f"u{number}@example.com"},
    }


EVENTS = [*(thing(n, n % DAYS) for n in range(1, 700)), *(identify(n) for n in range(50))]


@pytest.fixture(scope="module", params=["jobs", "storage_write"])
def loaded(request: pytest.FixtureRequest, make_place: Callable[..., Place]) -> Place:
    place = make_place(load_by=request.param)
    place.load(*EVENTS)
    return place


def test_each_event_is_there_once_with_its_values(loaded: Place) -> None:
    rows = {row[0]: row[1:] for row in loaded.rows(THINGS)}

    assert len(rows) == 699
    user_id, received_at, n, whole, seen_at, kind, _ = rows["thing-3"]
    assert (user_id, n, whole, kind) == ("u3", 0.75, 2**53 + 3, True)
    assert received_at == datetime.fromisoformat(moment(3, 3))
    assert seen_at == datetime(2026, 3, 4, 5, 6, 7, 3, tzinfo=UTC)
    assert loaded.rows(
        "select count(*) from `{raw}.thing` where json_query(_rescued, '$') is not null "
        "and kind is null and received_at >= '2000-01-01'"
    ) == [(99,)]


def test_loading_again_changes_nothing(loaded: Place) -> None:
    before = sorted(loaded.rows(THINGS), key=str)

    again = loaded.load(*reversed(EVENTS), name="again")

    assert (again["accepted"], again["duplicates"]) == (0, len(EVENTS))
    assert sorted(loaded.rows(THINGS), key=str) == before


def test_tables_are_partitioned_and_clustered(loaded: Place) -> None:
    table = loaded.client.get_table(f"{loaded.raw}.thing")

    assert (table.time_partitioning.type_, table.time_partitioning.field) == ("DAY", "received_at")
    assert table.clustering_fields == ["user_id"]
    assert {f.name: f.field_type for f in table.schema}["_rescued"] == "JSON"


def test_a_day_is_read_without_the_others(loaded: Place) -> None:
    everything = loaded.ask("select * from `{raw}.thing`", dry_run=True)
    one_day = loaded.ask(
        f"select * from `{{raw}}.thing` where received_at >= '{moment(0, 0)}'", dry_run=True
    )

    assert 0 < one_day.total_bytes_processed < everything.total_bytes_processed / 4


def test_columns_come_and_whole_numbers_become_fractions(make_place: Callable[..., Place]) -> None:
    place = make_place()
    base = {"type": "track", "event": "Grown", "userId": "u1", "receivedAt": moment(0, 0)}

    place.load({**base, "messageId": "a", "properties": {"size": 1}}, name="first")
    place.load({**base, "messageId": "b", "properties": {"size": 1.5, "new": "x"}}, name="second")

    found = place.rows("select id, size, new from `{raw}.grown` order by id")
    assert found == [("a", 1.0, None), ("b", 1.5, "x")]


@pytest.mark.parametrize("load_by", ["jobs", "storage_write"])
def test_json_that_would_be_rounded_is_kept_as_its_text(
    make_place: Callable[..., Place], load_by: str
) -> None:
    place = make_place(load_by=load_by)
    base = {"type": "track", "event": "Wide", "userId": "u1", "receivedAt": moment(0, 0)}
    big = 123456789012345678901234567890

    place.load({**base, "messageId": "a", "properties": {"n": 1}}, name="first")
    place.load(
        {**base, "messageId": "b", "properties": {"n": "x"}},
        {**base, "messageId": "c", "properties": {"n": big}},
        name="second",
    )

    found = dict(place.rows("select id, to_json_string(_rescued) from `{raw}.wide`"))
    assert json.loads(found["b"]) == {"/properties/n": "x"}
    assert json.loads(json.loads(found["c"])) == {"/properties/n": big}


def test_models_are_built_and_syncs_send_each_row_once(
    make_place: Callable[..., Place], state: str
) -> None:
    with serving() as receiver:
        syncs = {
            "destinations": {"hook": {"type": "webhook", "base_url": receiver.url}},
            "syncs": {
                f"{state}_users": {
                    "destination": "hook",
                    "model": "users",
                    "key": {"id": "canonical_user_id"},
                    "fields": {"email": "email"},
                }
            },
        }
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in syncs.items()]
        place = make_place("".join(lines))
        place.load(*EVENTS)
        place.run("transform")

        place.run("sync")
        first = len(receiver.requests)
        place.run("sync")

    assert place.query("select count(*) as users from users") == [{"users": 50}]
    assert (first, len(receiver.requests)) == (50, 50)


def test_models_are_built_where_partitions_have_to_be_named(
    make_place: Callable[..., Place],
) -> None:
    place = make_place(require_partition_filter=True)
    place.load(*EVENTS)

    place.run("transform")
    place.load(thing(5_000, 0), name="later")
    place.run("transform")

    with pytest.raises(Exception, match="without a filter over column"):
        place.rows("select count(*) from `{raw}.thing`")
    assert place.query("select count(*) as users from users") == [{"users": 50}]


def test_an_incremental_run_reads_less_than_a_full_one(make_place: Callable[..., Place]) -> None:
    place = make_place()
    place.load(*(thing(n, n % DAYS + 1) for n in range(20_000)))

    def bytes_of(what: Callable[[], object]) -> int:
        [(began,)] = place.rows("select current_timestamp()")
        what()
        jobs = place.client.list_jobs(min_creation_time=began)
        return sum(
            job.total_bytes_processed or 0
            for job in jobs
            if job.job_type == "query" and (place.raw in job.query or place.marts in job.query)
        )

    full = bytes_of(lambda: place.run("transform"))
    place.load(*(thing(100_000 + n, 0) for n in range(20)), name="later")
    incremental = bytes_of(lambda: place.run("transform"))

    assert 0 < incremental < full / 2


def test_a_query_that_would_cost_more_than_is_allowed_is_not_run(
    make_place: Callable[..., Place],
) -> None:
    place = make_place()
    place.load(thing(1, 0))
    bounded = make_place(raw_dataset=place.raw, maximum_bytes_billed=1)

    with pytest.raises(AssertionError, match=r"warehouse\.maximum_bytes_billed"):
        bounded.query(f"select n from `{place.raw}.thing`")


def test_a_table_that_was_dropped_is_told_and_brought_back(
    make_place: Callable[..., Place],
) -> None:
    place = make_place()
    place.load(*EVENTS)
    before = place.rows("select count(*) from `{raw}.thing`")
    place.client.delete_table(f"{place.raw}.thing")

    later = place.load(thing(5_000, 0), name="later")
    place.run("load", "--rebuild", "thing")

    assert any("--rebuild thing" in warning for warning in later["warnings"])
    assert place.rows("select count(*), count(distinct id) from `{raw}.thing`") == [
        (before[0][0] + 1, before[0][0] + 1)
    ]


def test_a_dataset_in_another_place_is_told(
    make_place: Callable[..., Place], location: str
) -> None:
    elsewhere = "US" if location.upper() != "US" else "EU"
    place = make_place(location=elsewhere)
    place.client.create_dataset(place.raw)  # where the client is

    with pytest.raises(AssertionError, match=rf"lies in {location}.*{elsewhere}"):
        place.load(thing(1, 0))


def test_files_go_by_way_of_the_bucket_and_do_not_stay(make_place: Callable[..., Place]) -> None:
    bucket = os.environ.get("HEADWATER_LIVE_BUCKET")
    if not bucket:
        pytest.skip("HEADWATER_LIVE_BUCKET is not set")
    from google.cloud import storage  # noqa: PLC0415 - only here

    folder = f"headwater-live-{os.urandom(4).hex()}"
    place = make_place(staging_bucket=f"gs://{bucket.removeprefix('gs://').strip('/')}/{folder}")

    place.load(*EVENTS)

    name = bucket.removeprefix("gs://").partition("/")[0]
    left = [blob.name for blob in storage.Client(place.client.project).list_blobs(name)]
    assert [found for found in left if folder in found] == []
    assert place.rows("select count(*) from `{raw}.thing`") == [(699,)]
