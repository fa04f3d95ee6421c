"""Loads a file into a workspace up to its commit, and makes ready what BigQuery would be sent.

python to_the_upload.py WORKSPACE FILE
"""

import json
import sys
from pathlib import Path

from loader.config import Workspace
from loader.contracts import read_contracts
from loader.load.load import load_lock
from loader.load.transaction import Load
from loader.warehouse import Manifest, read_manifest


def main(workspace: Workspace, file: str) -> None:
    contracts = read_contracts(workspace.schemas)
    with load_lock(workspace) as manifest, Load(workspace, manifest, contracts, None) as load:
        load.take([file], None, None)
        load.commit()
    manifest = read_manifest(workspace)
    sent = make_ready(workspace, manifest) if workspace.config.warehouse.is_bigquery else []
    rows = sum(f.rows for f in manifest.files if f.table_name == "tracks")
    files = len(manifest.files)
    print(
        json.dumps({"accepted": load.report.accepted, "tracks": rows, "files": files} | dict(sent))
    )


def make_ready(workspace: Workspace, manifest: Manifest) -> list[tuple[str, int]]:
    """What `ship` does before the first byte leaves; how much that is."""
    from loader.warehouse.bigquery.shipment import Shipping, plan  # noqa: PLC0415 - only there
    from loader.warehouse.bigquery.tables import TYPES  # noqa: PLC0415
    from loader.warehouse.bigquery.upload import prepare  # noqa: PLC0415
    from loader.warehouse.outbox import outgoing_columns  # noqa: PLC0415

    shipment = plan(workspace, manifest, Shipping())
    assert shipment
    rewritten = size = 0
    for part in shipment.parts:
        columns = {
            name: TYPES[kind]
            for name, kind in outgoing_columns(manifest.catalog, part.table).values()
        }
        draft = workspace.home / "shipment" / part.label
        files = [workspace.lake / name for name in part.files]
        path = prepare(files, draft, columns, as_json=False)
        rewritten += path == draft
        size += path.stat().st_size
    tables = len({part.table for part in shipment.parts})
    return [
        ("jobs", len(shipment.parts)),
        ("tables", tables),
        ("rewritten", rewritten),
        ("bytes", size),
    ]


if __name__ == "__main__":
    main(Workspace(Path(sys.argv[1])), sys.argv[2])
