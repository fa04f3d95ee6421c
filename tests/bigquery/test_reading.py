"""Tables come as Arrow, whole and once, whatever becomes of the stream."""

import pyarrow as pa

from loader.warehouse.bigquery.reading import copy_rows
from tests.bigquery.place import users


def test_what_was_taken_before_the_stream_broke_is_forgotten(marts, caplog):
    marts.publish(users=users(("a@x", "free", 1), ("b@x", "pro", 2)))
    taken: list[pa.RecordBatch] = []
    broken = [ConnectionError("reset by peer")]

    def take(batch):
        taken.append(batch)
        if broken:
            raise broken.pop()

    copy_rows(marts.bigquery, marts.bigquery.mart("users"), take, taken.clear)

    emails = sorted(email for batch in taken for email in batch["email"].to_pylist())
    assert emails == ["a@x", "b@x"]
    assert "reset by peer; rows come by REST" in caplog.text
