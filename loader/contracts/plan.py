"""The contracts of a workspace, read from schemas/ and brought into one shape.

Two shapes are accepted. `{"name", "description", "rules": {"required", "properties"}}`: the rules
speak of the event's properties (of its traits in identify and group). And a JSON Schema over the
whole event, bare or as the `rules` of such a document: what has `$schema`, or describes an object
`properties` or `traits`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

from loader.errors import ConfigError
from loader.event.envelope import BODY_FIELD
from loader.event.naming import CALL_TABLES, table_name

COMMON = "common"
_DRAFT_7 = "json-schema.org/draft-07/schema"
_ENVELOPE_OBJECTS = ("properties", "traits")


@dataclass(frozen=True)
class Contract:
    """One contract: the call and table that it is for, and a JSON Schema over the whole event."""

    file: Path
    name: str
    call: str  # track, identify, …, or `common` for every call
    table: str  # "" for `common`
    schema: dict[str, Any]


def read_contracts(folder: Path) -> list[Contract]:
    """Every contract below `folder`, `schemas/`; ConfigError says which file is wrong and where."""
    contracts = [_read(path, "track") for path in sorted(folder.glob("track/*.json"))]
    for call in (*BODY_FIELD, COMMON):
        path = folder / f"{call}.json"
        if call != "track" and path.is_file():
            contracts.append(_read(path, call))
    by_table: dict[str, Contract] = {}
    for contract in contracts:
        twin = by_table.setdefault(contract.table, contract)
        if twin is not contract:
            raise ConfigError(
                f"{contract.file}: {contract.name!r} means the table {contract.table}, "
                f"as {twin.name!r} of {twin.file.name} does",
                fix="keep one contract a table",
            )
    return contracts


def _read(path: Path, call: str) -> Contract:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{path}: not JSON: {problem}", fix="mend the file") from problem
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: found {type(found).__name__}, wanted an object", fix="see docs")
    schema = _whole_event_schema(path, call, found)
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as problem:
        raise ConfigError(
            f"{path}: {problem.json_path}: not a draft-07 schema: {problem.message}",
            fix="mend the file",
        ) from problem
    name = str(found.get("name") or found.get("title") or path.stem)
    if call == "track":
        return Contract(path, name, call, table_name(name), schema)
    return Contract(path, name, call, CALL_TABLES.get(call, ""), schema)


def _whole_event_schema(path: Path, call: str, found: dict[str, Any]) -> dict[str, Any]:
    rules = found.get("rules", found)
    if not isinstance(rules, dict):
        raise ConfigError(f"{path}: rules: found {rules!r}, wanted an object", fix="mend the file")
    draft = rules.get("$schema", found.get("$schema", _DRAFT_7))
    if _DRAFT_7 not in str(draft):
        raise ConfigError(f"{path}: $schema is {draft!r}, wanted draft-07", fix="use draft-07")
    described = rules.get("properties")
    speaks_of_event = (
        "rules" not in found
        or "$schema" in rules
        or call == COMMON
        or (
            isinstance(described, dict) and any(_is_object(described, f) for f in _ENVELOPE_OBJECTS)
        )
    )
    if speaks_of_event:
        return rules
    body = BODY_FIELD[call]
    return {"type": "object", "required": [body], "properties": {body: {"type": "object", **rules}}}


def _is_object(described: dict[str, Any], field: str) -> bool:
    found = described.get(field)
    return isinstance(found, dict) and (found.get("type") == "object" or "properties" in found)
