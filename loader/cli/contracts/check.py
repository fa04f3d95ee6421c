"""`headwater contracts check`: lint, and a trial of events, for a team's own pipeline."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from loader.cli.contracts.place import find_contracts, schemas_option
from loader.cli.options import json_option, workspace_option
from loader.cli.output import note, printable, show_json, show_table
from loader.exit_codes import DONE, MISUSED, NEWLY_REJECTED

if TYPE_CHECKING:
    from loader.authoring import Finding, Linted, Trial


@click.command()
@click.option(
    "--events",
    "files",
    metavar="FILE|-",
    multiple=True,
    help="Hold these events against the contracts, too; may be repeated.",
)
@click.option(
    "--source", metavar="NAME", help="The source of these events (default: by write key)."
)
@click.option("--strict", "is_strict", is_flag=True, help="Let warnings count as errors.")
@schemas_option
@json_option
@workspace_option
def check(
    *,
    files: tuple[str, ...],
    source: str | None,
    is_strict: bool,
    schemas: Path | None,
    as_json: bool,
) -> int:
    """Lint contracts, and check events against them; nothing is written.

    FILE is NDJSON as `headwater load` takes it, plain, .gz or .zst; '-' is standard input. A folder
    with nothing but contracts will do: --schemas DIR. Exit code 0: clean; 2: a contract is wrong;
    3: events would be blocked.
    """
    from loader.authoring import disagreements, lint_contracts, try_events
    from loader.config import Config
    from loader.warehouse import read_manifest

    folder, workspace = find_contracts(schemas)
    linted = lint_contracts(folder)
    if workspace is not None:
        catalog = read_manifest(workspace).catalog
        linted.findings += disagreements(linted.contracts, catalog, folder)
    is_wrong = bool(linted.findings if is_strict else linted.errors)
    trial = None
    if files and not is_wrong:
        config = workspace.config if workspace is not None else Config()
        root = workspace.root if workspace is not None else folder
        trial = try_events(files, linted.contracts, config, root, source=source)
    if as_json:
        show_json(_as_document(linted, trial))
    else:
        _show(linted, trial)
    if is_wrong:
        if files:
            note("the events were not checked: mend the contracts first")
        return MISUSED
    return NEWLY_REJECTED if trial is not None and trial.blocked else DONE


def _as_document(linted: "Linted", trial: "Trial | None") -> dict[str, object]:
    return {
        "schemas": str(linted.folder),
        "contracts": len(linted.contracts),
        "errors": len(linted.errors),
        "warnings": len(linted.findings) - len(linted.errors),
        "findings": linted.findings,
        "events": trial.as_json() if trial is not None else None,
    }


def _show(linted: "Linted", trial: "Trial | None") -> None:
    for finding in linted.findings:
        click.echo(_describe(finding, linted.folder))
    errors = len(linted.errors)
    click.echo(
        f"{linted.folder}: {len(linted.contracts):,} contracts can be used, "
        f"{errors:,} errors, {len(linted.findings) - errors:,} warnings"
    )
    if trial is not None:
        _show_trial(trial)


def _describe(finding: "Finding", folder: Path) -> str:
    where = folder / finding.file
    said = f"{finding.severity}: {where}: {finding.path}: {finding.message} [{finding.rule}]"
    return printable(f"{said}\n  Fix: {finding.fix}")


def _show_trial(trial: "Trial") -> None:
    click.echo(
        f"{trial.events:,} events in {trial.lines:,} lines: "
        f"{trial.events - trial.blocked - trial.flawed:,} clean, {trial.blocked:,} would be "
        f"blocked, {trial.flawed:,} let in with violations"
    )
    tried = trial.by_event.values()
    rows = [
        (
            found.event or "(no event)",
            f"{found.events:,}",
            f"{found.blocked:,}",
            f"{found.flawed:,}",
            "yes" if found.has_contract else "no",
        )
        for found in tried
    ]
    if rows:
        show_table(
            ("event", "events", "would be blocked", "let in with violations", "contract"), rows
        )
    broken = [(found, rule) for found in tried for rule in found.rules.values()]
    for found, rule in sorted(broken, key=lambda pair: -pair[1].events):
        broken_rule = f"{rule.path}: {rule.message} [{rule.rule}, {rule.action}]"
        sample = f"{rule.file}, line {rule.line}, message {rule.message_id}"
        said = f"{found.event or '(no event)'}: {broken_rule}\n"
        click.echo(printable(f"{said}  {rule.events:,} events, the first: {sample}"))
    if trial.unplanned:
        names = ", ".join(f"{found.event} ({found.events:,})" for found in trial.unplanned)
        click.echo(printable(f"without a contract: {names}"))
