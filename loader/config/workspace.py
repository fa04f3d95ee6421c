"""The workspace: the folder with headwater.yml, and where its state lies."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loader.config.settings import Config, read_config
from loader.errors import ConfigError

CONFIG_FILE = "headwater.yml"


@dataclass(frozen=True)
class Workspace:
    """A workspace's folder; every path of its state is named here."""

    root: Path

    @cached_property
    def config(self) -> Config:
        """headwater.yml, read once."""
        return read_config(self.root / CONFIG_FILE)

    @property
    def schemas(self) -> Path:
        """The contracts."""
        return self.root / "schemas"

    @property
    def home(self) -> Path:
        """All state that Headwater itself writes."""
        return self.root / ".headwater"

    @property
    def spool(self) -> Path:
        """What the collector took and no load has loaded yet: spool/<worker>/<segment>."""
        return self.home / "spool"

    @property
    def archive(self) -> Path:
        """Accepted events as they came: archive/_date=YYYY-MM-DD/<load_id>.parquet."""
        return self.home / "archive"

    @property
    def lake(self) -> Path:
        """Raw tables: lake/<table>/_date=YYYY-MM-DD/<load_id>.parquet."""
        return self.home / "lake"

    @property
    def retired(self) -> Path:
        """Raw files that a compaction replaced, for queries that began before."""
        return self.home / "retired"

    @property
    def compaction(self) -> Path:
        """What a compaction is writing."""
        return self.home / "compaction"

    @property
    def manifest(self) -> Path:
        """Which files the lake's tables consist of."""
        return self.home / "manifest.parquet"

    @property
    def versions(self) -> Path:
        """The manifest's newest versions, each under a name that is never replaced."""
        return self.home / "versions"

    @property
    def ids(self) -> Path:
        """The ids of events that were loaded."""
        return self.home / "ids"

    @property
    def suppression(self) -> Path:
        """Who was forgotten: hashes of identifiers whose events no load lets in."""
        return self.home / "suppression.json"

    @property
    def receipts(self) -> Path:
        """What `profile forget` did, one file each time."""
        return self.home / "receipts"

    @property
    def warehouse(self) -> Path:
        """The published DuckDB file, read-only for everybody."""
        return self.home / "warehouse.duckdb"

    @property
    def shipping(self) -> Path:
        """How far loads are on their way to BigQuery; there only if some were ever sent."""
        return self.home / "shipping.json"

    @property
    def state(self) -> Path:
        """What syncs remember: state/<sync>.duckdb."""
        return self.home / "state"

    @property
    def dbt(self) -> Path:
        """dbt's build copy, target and logs."""
        return self.home / "dbt"


def find_workspace(start: Path) -> Path | None:
    """The nearest folder at or above `start` that holds headwater.yml."""
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    return None


def open_workspace(folder: Path | None) -> Workspace:
    """The workspace at `folder`, or the one around the current folder; its config is checked."""
    root = find_workspace(Path.cwd()) if folder is None else folder.resolve()
    if root is None or not (root / CONFIG_FILE).is_file():
        place = "here or above" if folder is None else f"in {folder}"
        raise ConfigError(
            f"no {CONFIG_FILE} {place}",
            fix="`headwater init DIR` writes a workspace; or pass --workspace DIR",
        )
    workspace = Workspace(root.resolve())
    if any(letter in str(workspace.root) for letter in "?\\"):
        raise ConfigError(
            f"{workspace.root}: DuckDB takes a ? or a \\ in a path for something else",
            fix="rename that folder",
        )
    _ = workspace.config
    return workspace
