"""What dbt says it did: its artifact run_results.json, with the files that its nodes stand in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

_FAILED = frozenset({"error", "fail", "runtime error", "partial success"})


@dataclass(frozen=True)
class NodeResult:
    """How one node of the project (a model, a test) ended."""

    kind: str  # model, test, unit_test, operation …
    name: str
    status: str  # as dbt calls it
    message: str
    file: str  # where it is defined, relative to the workspace

    @property
    def is_failed(self) -> bool:
        """Whether it went wrong; a node skipped because of another one did not."""
        return self.status in _FAILED

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.file}): {self.message.strip() or self.status}"


@dataclass(frozen=True)
class RunResults:
    """One run of dbt; bytes are those of the statements that made its nodes, where it tells any."""

    started_at: datetime
    nodes: tuple[NodeResult, ...]
    bytes_processed: int | None
    bytes_billed: int | None


def read_results(target: Path, marker: Mapping[str, str]) -> RunResults | None:
    """What the run whose environment had `marker` left in the folder `target`; None if nothing."""
    try:
        found = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not marker.items() <= found["metadata"]["env"].items():
        return None
    defined = _read_nodes(target)
    return RunResults(
        started_at=datetime.fromisoformat(found["metadata"]["invocation_started_at"]),
        nodes=tuple(_node_result(result, defined) for result in found["results"]),
        bytes_processed=_sum_of("bytes_processed", found["results"]),
        bytes_billed=_sum_of("bytes_billed", found["results"]),
    )


def _sum_of(key: str, results: Sequence[Mapping[str, Any]]) -> int | None:
    told = [result["adapter_response"].get(key) for result in results]
    values = [value for value in told if value is not None]
    return sum(values) if values else None


def _read_nodes(target: Path) -> dict[str, Any]:
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return {**manifest["nodes"], **manifest["unit_tests"]}


def _node_result(result: Mapping[str, Any], defined: Mapping[str, Any]) -> NodeResult:
    node = defined.get(result["unique_id"], {})
    kind, _, rest = result["unique_id"].partition(".")
    return NodeResult(
        kind=kind,
        name=node.get("name", rest),
        status=result["status"],
        message=result["message"] or "",
        file=node.get("original_file_path", "dbt_project.yml"),
    )
