"""New contracts as files of schemas/: laid out to be read, never over one that is there."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from loader.contracts import read_contracts
from loader.durable import refused, sync
from loader.errors import ConfigError
from loader.event.naming import table_name

_WIDTH: Final = 100


def layout(value: Any, *, indent: int = 0) -> str:
    """`value` as JSON: what holds no objects on one line if it fits, the rest a line a key."""
    flat = _flat(value)
    inner = list(value.values()) if isinstance(value, dict) else value
    is_leaf = not isinstance(value, dict | list) or not any(isinstance(v, dict) for v in inner)
    if not isinstance(value, dict | list) or not value or (is_leaf and len(flat) + indent < _WIDTH):
        return flat
    pad, end = " " * (indent + 2), f"\n{' ' * indent}"
    if isinstance(value, dict):
        lines = [f"{pad}{_flat(k)}: {layout(v, indent=indent + 2)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + end + "}"
    lines = [f"{pad}{layout(v, indent=indent + 2)}" for v in value]
    return "[\n" + ",\n".join(lines) + end + "]"


def _flat(value: Any) -> str:
    if isinstance(value, dict) and value:
        return f"{{ {', '.join(f'{_flat(k)}: {_flat(v)}' for k, v in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)


def place_of(name: str) -> str:
    """Where, below schemas/, the contract of the track event `name` is to stand."""
    return f"track/{table_name(name)}.json"


def planned(folder: Path) -> dict[str, Path]:
    """The tables that have a contract below `folder`, and its file."""
    return {contract.table: contract.file for contract in read_contracts(folder)}


def write_contracts(folder: Path, documents: Mapping[str, dict[str, Any]]) -> list[Path]:
    """Write the contracts of track events, by name, below `folder`; their files.

    All of them or, if one is there already, none: that is a ConfigError.
    """
    known = planned(folder)
    for name in documents:
        path = folder / place_of(name)
        there = known.get(table_name(name)) or (path if path.exists() else None)
        if there is not None:
            raise ConfigError(
                f"{there}: there is a contract for {name!r} already; nothing was written",
                fix="leave the name out, or move that file away first",
            )
    return [_write(folder / place_of(name), document) for name, document in documents.items()]


def _write(path: Path, document: dict[str, Any]) -> Path:
    """Write one file, whole or not at all, and never over another."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"{layout(document)}\n", encoding="utf-8")
        sync(temporary)
        path.hardlink_to(temporary)  # fails where a rename would replace
        sync(path.parent)
    except FileExistsError as problem:
        raise ConfigError(f"{path}: just appeared; it was left alone", fix="repeat") from problem
    except OSError as problem:
        raise refused(path, problem) from problem
    finally:
        temporary.unlink(missing_ok=True)
    return path
