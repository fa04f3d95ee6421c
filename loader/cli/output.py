"""What commands print: results on stdout; notes, progress and errors on stderr."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

_NO_FOLDING: Final = 100_000  # columns: into a file or a pipe nothing is cut to a screen's width


def show_error(message: str) -> None:
    """`message` as an error, on stderr."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(message)}", err=True)


def note(message: str) -> None:
    """Something a person should know that is neither a result nor an error, on stderr."""
    click.echo(f"note: {printable(message)}", err=True)


def show_json(document: Any) -> None:
    """The one JSON document of a --json run, on stdout."""
    click.echo(to_json(document))


def to_json(value: Any) -> str:
    """`value` as JSON: times in ISO 8601, decimals as numbers, what JSON can't hold as text."""
    import msgspec

    return msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value).decode()


@contextmanager
def byte_progress(label: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """A callback that moves a bar as bytes get done; None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(label), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout; on a screen too narrow for it, a line a column instead.

    Text is shown, never obeyed: whatever events hold, no terminal acts on it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    table = Table()
    for name in names:
        table.add_column(Text(printable(name)))
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row))
    screen = Console()
    unbounded = screen.options.update(width=_NO_FOLDING)
    if not screen.is_terminal:
        Console(width=_NO_FOLDING).print(table)
    elif screen.measure(table, options=unbounded).maximum <= screen.width:
        screen.print(table)
    else:
        for number, row in enumerate(rows, start=1):
            click.secho(f"row {number}", bold=True)
            for name, value in zip(names, row, strict=True):
                click.echo(f"  {printable(name)}: {printable(value)}")


def printable(value: object) -> str:
    """`value` as text that a terminal shows and does not obey: control characters are escaped."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
