"""The contracts of a workspace, read from schemas/ and brought into one shape.

Two shapes are accepted. `{"name", "description", "rules": {"required", "properties"}}`: the rules
speak of the event's properties (of its traits in identify and group). And a JSON Schema over the
whole event: bare, as the `rules` of such a document (what has `$schema`, or describes an object
`properties` or `traits`), or as the `jsonSchema` of a rule as Segment's public API gives it.

An event may have several contracts, each with its `version`.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import SchemaError

from loader.errors import ConfigError
from loader.event.envelope import BODY_FIELD
from loader.event.naming import CALL_TABLES, table_name

COMMON = "common"
_VERSIONED = re.compile(r"\.v\d+$")  # order_completed.v2.json
_DRAFT_7 = "json-schema.org/draft-07/schema"
_ENVELOPE_OBJECTS = ("properties", "traits")


_REMEMBERED = 4_096  # contracts: a run that goes on loads them with each of its loads


@dataclass(frozen=True)
class Contract:
    """One contract: the call and table that it is for, and a JSON Schema over the whole event."""

    file: Path
    name: str
    call: str  # track, identify, …, or `common` for every call
    table: str  # "" for `common`
    schema: dict[str, Any]
    version: int = 1  # which of its event's contracts it is; an event names the one it keeps


def read_contracts(folder: Path) -> list[Contract]:
    """Every contract below `folder`, `schemas/`, older versions first.

    ConfigError says which file is wrong and where.
    """
    contracts = [read_contract(path, "track") for path in sorted(folder.glob("track/*.json"))]
    for call in BODY_FIELD:
        if call != "track":
            paths = [*folder.glob(f"{call}.json"), *sorted(folder.glob(f"{call}.*.json"))]
            contracts += [read_contract(path, call) for path in paths]
    if (folder / f"{COMMON}.json").is_file():
        contracts.append(read_contract(folder / f"{COMMON}.json", COMMON))
    by_identity: dict[tuple[str, int], Contract] = {}
    for contract in contracts:
        twin = by_identity.setdefault((contract.table, contract.version), contract)
        if twin is not contract:
            raise ConfigError(
                f"{contract.file}: {contract.name!r} means version {contract.version} of the table "
                f"{contract.table}, as {twin.name!r} of {twin.file.name} does",
                fix='keep one contract a table, or tell them apart: "version": 2',
            )
    return sorted(contracts, key=lambda contract: contract.version)


def read_contract(path: Path, call: str) -> Contract:
    """The contract in the file `path`, for `call`, or `common`; ConfigError if it is none."""
    return _contract_in(path, call, path.read_bytes())


@lru_cache(maxsize=_REMEMBERED)
def _contract_in(path: Path, call: str, text: bytes) -> Contract:
    """The contract that is written in `text`; not to be changed: it is given out again."""
    try:
        found = json.loads(text)
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
    except RecursionError as problem:
        raise ConfigError(f"{path}: nested too deep", fix="use `definitions`") from problem
    key = found.get("key") if "jsonSchema" in found else None
    name = str(found.get("name") or key or found.get("title") or _VERSIONED.sub("", path.stem))
    table = table_name(name) if call == "track" else CALL_TABLES.get(call, "")
    return Contract(path, name, call, table, schema, _version(path, found))


def _version(path: Path, found: dict[str, Any]) -> int:
    version = found.get("version", 1)
    if type(version) is not int or version < 0:
        raise ConfigError(
            f"{path}: version: found {version!r}, wanted a whole number",
            fix='write one, as in "version": 2; without it, a contract is version 1',
        )
    return version


def _whole_event_schema(path: Path, call: str, found: dict[str, Any]) -> dict[str, Any]:
    key = next((key for key in ("jsonSchema", "rules") if key in found), "")
    rules = found[key] if key else found
    if not isinstance(rules, dict):
        raise ConfigError(f"{path}: {key}: found {rules!r}, wanted an object", fix="mend the file")
    if key == "jsonSchema" and str(found.get("type", call)).lower() != call:
        raise ConfigError(
            f"{path}: type: found {found['type']!r}, wanted {call.upper()!r}",
            fix="move the file to where the contracts of that call are, or mend its type",
        )
    draft = rules.get("$schema", found.get("$schema", _DRAFT_7))
    if _DRAFT_7 not in str(draft):
        raise ConfigError(f"{path}: $schema is {draft!r}, wanted draft-07", fix="use draft-07")
    described = rules.get("properties")
    speaks_of_event = (
        key != "rules"
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
