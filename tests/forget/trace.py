"""Looks for what names a person in every byte below a workspace's `.headwater`."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from loader.config import Workspace


def traces(workspace: Workspace, *needles: str) -> list[str]:
    """Each file and needle that is in it, whatever the file packs its contents in."""
    wanted = [needle.encode() for needle in needles]
    wanted += [needle.encode("unicode_escape") for needle in needles if not needle.isascii()]
    found = []
    for path in sorted(workspace.home.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        for text in texts_of(path):
            found += [
                f"{path.relative_to(workspace.home)}: {needle.decode()}"
                for needle in wanted
                if needle in text or needle.lower() in text.lower()
            ]
        found += [f"{path}: its name" for needle in needles if needle in str(path)]
    return sorted(set(found))


def texts_of(path: Path) -> Iterator[bytes]:
    stored = path.read_bytes()
    yield stored
    if stored[:4] == b"PAR1":
        with pq.ParquetFile(path) as file:
            yield str(file.metadata.metadata).encode()
            for column in file.read().columns:
                yield repr(column.to_pylist()).encode()
    elif stored[8:12] == b"DUCK":
        yield from tables_of(path)
    elif stored[:2] == b"\x1f\x8b":
        yield gzip.decompress(stored)


def tables_of(path: Path) -> Iterator[bytes]:
    with duckdb.connect(path, read_only=True) as connection:
        listed = connection.execute("select schema_name, table_name from duckdb_tables()")
        for schema, table in listed.fetchall():
            rows = connection.execute(f'select * from "{schema}"."{table}"').fetchall()
            yield repr(rows).encode()
        yield repr(connection.execute("select sql from duckdb_views()").fetchall()).encode()
