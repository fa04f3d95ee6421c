"""A collector for a test: the real one, gone without a trace afterwards."""

import socket

import pytest
from segment.analytics import Client

from loader.config import Workspace
from loader.errors import ConfigError
from loader.load import load_files
from loader.spool import encode_line
from loader.testing import assert_identified, assert_tracked
from loader.testing import collector as serving
from loader.testing.received import SpoolReader
from tests.conftest import ROOT, read_raw
from tests.testing.conftest import order, send_to


def test_what_the_python_sdk_sends_is_seen(collector):
    client = Client(collector.write_key, host=collector.url)
    client.track("u-1", "Order Completed", {"order_id": "o-1", "total": 1, "currency": "RUB"})
    client.identify("u-1", {"plan": "pro"})
    client.shutdown()

    found = assert_tracked(collector, "Order Completed", {"total": 1}, user_id="u-1", times=1)
    assert_identified(collector, "u-1", {"plan": "pro"})

    assert found["context"]["library"]["name"] == "analytics-python"
    assert found["sentAt"]  # the batch's
    assert "writeKey" not in found


def test_events_are_seen_in_their_order_with_what_their_batch_says(collector, send):
    batch = [order(messageId=f"m-{i}", writeKey=collector.write_key) for i in range(3)]
    batch[1]["context"] = {"ip": "10.0.0.1"}
    document = {"batch": batch, "context": {"app": {"name": "shop"}}, "sentAt": "2026-11-02"}
    send(document, path="/v1/batch")
    send({"userId": "u-1", "name": "Home"}, path="/v1/page")

    *events, page = collector.events()

    assert [event["messageId"] for event in events] == ["m-0", "m-1", "m-2"]
    assert events[0]["context"] == {"app": {"name": "shop"}}
    assert events[1]["context"] == {"app": {"name": "shop"}, "ip": "10.0.0.1"}
    assert {event["sentAt"] for event in events} == {"2026-11-02"}
    assert page == {"userId": "u-1", "name": "Home", "type": "page"}
    assert not any("writeKey" in event for event in events)


def test_what_stands_in_a_batch_and_is_no_event_is_passed_over(collector, send):
    assert send([5, order(), None]) == 200

    assert [event["messageId"] for event in collector.events()] == ["m-1"]


def test_after_clear_nothing_of_before_is_there(collector, send):
    send(order())
    send(order(), key="wrong")
    assert (len(collector.events()), collector.refused()) == (1, {401: 1})

    collector.clear()

    assert (collector.events(), collector.refused()) == ([], {})


def test_events_that_were_seen_stay_when_a_load_takes_them():
    with serving(schemas=ROOT / "schemas") as running:
        send_to(running, order())
        held = Workspace(running.workspace)
        assert_tracked(running, "Order Completed")

        report = load_files(held, [])
        send_to(running, order(messageId="m-2"))

        assert report.accepted == 1
        assert read_raw(held, "select total from raw.order_completed") == [(14500,)]
        assert [event["messageId"] for event in running.events()] == ["m-1", "m-2"]


def test_two_collectors_at_once_don_t_meddle(collector, send):
    with serving(write_key="another") as other:
        send(order())

        assert other.url != collector.url
        assert (other.write_key, other.events()) == ("another", [])
        assert len(collector.events()) == 1


def test_when_the_block_ends_the_port_is_free_and_the_folder_gone():
    with pytest.raises(KeyError), serving() as running:  # noqa: PT012
        host, _, port = running.url.removeprefix("http://").partition(":")
        assert running.workspace.is_dir()
        raise KeyError

    assert not running.workspace.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_without_schemas_events_are_held_to_the_rules_that_all_have():
    with serving() as running:
        assert running.objections(order(properties={"total": "much"})) == []
        assert running.objections({"type": "track", "userId": "u"}) != []


def test_schemas_that_are_not_there_or_wrong_are_told(tmp_path):
    (tmp_path / "track").mkdir()
    (tmp_path / "track" / "bad.json").write_text("{")

    with pytest.raises(ConfigError, match="no such folder"), serving(schemas=tmp_path / "none"):
        pass
    with pytest.raises(ConfigError, match=r"bad\.json: not JSON"), serving(schemas=tmp_path):
        pass


def line(number):
    head = {"receivedAt": "2026-11-02T10:00:00.000000Z", "source": "test", "type": "track"}
    return b"".join(encode_line(head, b'{"messageId":"m-%d"}' % number))


def ids(reader):
    return [event["messageId"] for event in reader.read()]


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path):
    segment = tmp_path / "0" / "0001-aaaa.open"
    segment.parent.mkdir()
    reader = SpoolReader(tmp_path)

    segment.write_bytes(line(1) + b"\n\n" + line(2)[:-5])
    first = ids(reader)
    segment.write_bytes(line(1) + b"\n\n" + bytes(len(line(2)) - 1) + b"\n" + line(3))
    second = ids(reader)
    segment.write_bytes(line(1) + b"\n\n" + line(2) + line(3))
    third = ids(reader)

    assert (first, second, third) == (["m-1"], [], ["m-2", "m-3"])


def test_a_segment_that_is_sealed_meanwhile_is_read_once(tmp_path):
    segment = tmp_path / "0" / "0001-aaaa.open"
    segment.parent.mkdir()
    reader = SpoolReader(tmp_path)

    segment.write_bytes(line(1))
    first = ids(reader)
    segment.write_bytes(line(1) + line(2))
    segment.rename(segment.with_suffix(".sealed"))
    (tmp_path / "0" / "0002-aaaa.open").write_bytes(line(3))

    assert (first, ids(reader), ids(reader)) == (["m-1"], ["m-2", "m-3"], [])
