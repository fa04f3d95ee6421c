"""What came of a demo: counted in the published warehouse, told as text or JSON."""

import dataclasses
import shlex
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from loader.config import Workspace
from loader.load import LoadReport
from loader.warehouse import connect, read_manifest

_BOOKKEEPING = ("loads", "violations", "schema_changes")


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """The counts after a demo; `users_before` is what unstitched ids would have been counted as."""

    workspace: Path
    seconds: float
    events_in: int
    accepted: int
    blocked: int
    duplicates: int
    tables: dict[str, int]
    violations: int
    violation_example: str
    users_before: int
    users_after: int
    revenue: dict[str, Decimal]
    audience_size: int
    delivered: int

    @classmethod
    def read(cls, workspace: Workspace, load: LoadReport, delivered: int, seconds: float) -> Self:
        """Count what the warehouse of `workspace` holds after `load`, transform and sync."""
        tables = {
            name: rows
            for name, rows in sorted(read_manifest(workspace).rows_by_table().items())
            if rows and name not in _BOOKKEEPING
        }
        with connect(workspace) as connection:

            def count(query: str) -> int:
                row = connection.execute(query).fetchone()
                return int(row[0]) if row else 0

            revenue = connection.execute(
                "select currency, sum(revenue) from analytics.orders"
                " where currency is not null and revenue is not null group by all order by 1"
            ).fetchall()
            return cls(
                workspace=workspace.root,
                seconds=seconds,
                events_in=load.events_in,
                accepted=load.accepted,
                blocked=load.blocked,
                duplicates=load.duplicates,
                tables=tables,
                violations=count("select count(*) from raw.violations"),
                violation_example=load.example,
                users_before=count(
                    "select count(distinct coalesce(nullif(user_id, ''), anonymous_id))"
                    " from analytics.events"
                ),
                users_after=count("select count(*) from analytics.users"),
                revenue=dict(revenue),
                audience_size=count(
                    "select count(*) from analytics.audience_memberships"
                    " where audience = 'big_spenders' and exited_at is null"
                ),
                delivered=delivered,
            )

    def as_json(self) -> dict[str, Any]:
        """For `--json`: amounts are numbers, the workspace is its path."""
        return {
            **dataclasses.asdict(self),
            "workspace": str(self.workspace),
            "seconds": round(self.seconds, 1),
            "revenue": {currency: float(amount) for currency, amount in self.revenue.items()},
        }

    def as_text(self) -> str:
        """For a person: what happened at each step, and what to type next."""
        biggest = sorted(self.tables.items(), key=lambda item: -item[1])[:4]
        shown = " · ".join(f"{name} {rows:,}" for name, rows in biggest)
        revenue = " · ".join(
            f"{currency} {amount:,.2f}" for currency, amount in self.revenue.items()
        )
        return f"""\
From events to an audience in {self.seconds:.0f} s

Load       {self.events_in:,} events: {self.accepted:,} accepted, {self.blocked:,} blocked by \
contracts and checks, {self.duplicates:,} repeats
           {len(self.tables)} tables: {shown} …
Blocked    {self.violations:,} rules broken; the first:
           {self.violation_example}
Transform  {self.users_before:,} ids turned out to be {self.users_after:,} users
           revenue: {revenue}
           audience big_spenders: {self.audience_size:,} users
Sync       {self.delivered:,} rows, each signed, to a receiver on this machine

It is all still there. Look around:

  cd {shlex.quote(_near(self.workspace))} && headwater status
  headwater query 'select name, email, orders_count from users order by orders_count desc limit 5'
  headwater query 'select event, path, message from raw.violations limit 5'
  duckdb -readonly .headwater/warehouse.duckdb"""


def _near(folder: Path) -> str:
    """`folder` as one would type it from here."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)
