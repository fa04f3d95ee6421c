"""raw.schema_changes tells what came and what changed, in the same commit."""

import json

import pyarrow.parquet as pq

from loader.warehouse import read_manifest, repair

CHANGES = (
    "select load_id, table_name, column_name, change, old_type, new_type, sample "
    "from raw.schema_changes where table_name in ('seat', 'tracks') order by all"
)


def track(number, properties, **fields):
    event = {"type": "track", "event": "Seat", "userId": "u", "messageId": f"m{number}"}
    return {**event, "properties": properties, **fields}


def test_it_is_there_and_empty_before_the_first_load(workspace, raw):
    repair(workspace)

    assert raw(workspace, "select count(*) from raw.schema_changes") == [(0,)]


def test_tables_columns_and_widened_types_are_told_with_what_brought_them(workspace, load, raw):
    load(track(1, {"seats": 1}, context={"n": 1}))
    load(track(2, {"seats": 1.5, "rowName": "a"}))
    load(track(3, {"seats": 2}))

    assert raw(workspace, CHANGES) == [
        (1, "seat", "context_n", "column_added", None, "int", "/context/n"),
        (1, "seat", "seats", "column_added", None, "int", "/properties/seats"),
        (1, "seat", None, "table_added", None, None, "Seat"),
        (1, "tracks", "context_n", "column_added", None, "int", None),
        (2, "seat", "row_name", "column_added", None, "text", "/properties/rowName"),
        (2, "seat", "seats", "type_widened", "int", "float", "/properties/seats"),
    ]
    same = (
        "select count(*) from raw.schema_changes where load_id in (select load_id from raw.loads)"
    )
    assert raw(workspace, same) == raw(workspace, "select count(*) from raw.schema_changes")


def test_what_a_contract_names_is_told_though_no_event_came(workspace, load, raw):
    load(b"nothing of use")

    added = "select change, count(*) from raw.schema_changes group by all order by all"
    assert [change for change, _ in raw(workspace, added)] == ["column_added", "table_added"]


def test_a_workspace_of_before_gets_the_table(workspace, load, raw):
    load(track(1, {"seats": 1}))
    manifest = read_manifest(workspace)
    with pq.ParquetFile(workspace.manifest) as stored:
        table = stored.read()
    footer = json.loads(table.schema.metadata[b"headwater"])
    del footer["catalog"]["tables"]["schema_changes"], footer["retired"]
    footer |= {"format_version": 2, "version": manifest.version + 1}
    is_older = [name != "schema_changes" for name in table["table_name"].to_pylist()]
    older = table.filter(is_older).replace_schema_metadata({b"headwater": json.dumps(footer)})
    workspace.manifest.unlink()
    pq.write_table(older, workspace.manifest)

    repair(workspace)
    assert raw(workspace, "select count(*) from raw.schema_changes") == [(0,)]

    load(track(2, {"seats": 1, "new": True}))
    assert raw(workspace, CHANGES) == [
        (2, "seat", "new", "column_added", None, "bool", "/properties/new")
    ]
