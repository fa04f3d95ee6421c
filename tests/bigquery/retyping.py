"""What tests of retyping share: an event, and what its table holds in either warehouse."""

import json

from loader.event.values import ColumnType
from loader.warehouse import connect, read_manifest, repair
from loader.warehouse.bigquery.shipment import pending, read_shipping
from tests.bigquery.asking import rows_of, table_of

INT, FLOAT, TEXT = ColumnType.INT, ColumnType.FLOAT, ColumnType.TEXT


def track(number, properties, **fields):
    event = {"type": "track", "event": "Checked", "userId": "u", "messageId": f"m{number}"}
    day = f"2024-05-0{1 + len(str(number)) % 3}T10:00:00Z"
    return {**event, "receivedAt": day, "properties": properties, **fields}


def rows(workspace, *columns, table="checked"):
    """By message: the values of `columns`, and what is in `_rescued`."""
    names = ", ".join(f"`{name}`" for name in columns)
    if workspace.config.warehouse.is_bigquery:
        found = rows_of(workspace, f"select id, {names}, _rescued from {{raw}}.{table}")
    else:
        repair(workspace)
        with connect(workspace) as connection:
            quoted = names.replace("`", '"')
            asked = f"select id, {quoted}, _rescued from raw.{table}"
            found = [
                (*r[:-1], r[-1] and json.loads(r[-1])) for r in connection.execute(asked).fetchall()
            ]
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def differences(workspace, other, *columns):
    """By message: the rows that differ; a comparison of all would take pytest minutes to tell."""
    here, there = rows(workspace, *columns), rows(other, *columns)
    return {n: (here.get(n), there.get(n)) for n in here | there if here.get(n) != there.get(n)}


def columns_of(workspace, table="checked"):
    return {field.name: field.field_type for field in table_of(workspace, table).schema}


def type_of(workspace, column, table="checked"):
    return read_manifest(workspace).catalog.state_of(table, column).type


def assert_settled(workspace, table="checked"):
    """Nothing of ours is left, and nothing waits."""
    assert not [n for n in columns_of(workspace, table) if n.startswith(("_ret", "_waiting"))]
    shipping = read_shipping(workspace)
    assert shipping.shipment is None
    assert pending(workspace, read_manifest(workspace))[0] == 0
