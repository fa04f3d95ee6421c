"""A writer of a spool as a process: python -m tests.spool.child FOLDER FIRST

Spools page after page, its messageId a number from FIRST on; tells each third once it is durable.
"""

import sys
from pathlib import Path

from loader.locks import exclusive
from loader.spool import LineBuffer, SpoolWriter, recover
from tests.spool.place import line

TOGETHER = 3


def write(folder: Path, first: int) -> None:
    with exclusive(folder / "lock", "collector worker"):
        recover(folder)
        writer = SpoolWriter(folder, seal_bytes=200_000, seal_seconds=3600)
        for number in range(first, first + 1_000_000, TOGETHER):
            pages = [
                {"type": "page", "userId": "u", "messageId": str(n), "name": "x" * (n % 3_000)}
                for n in range(number, number + TOGETHER)
            ]
            lines = LineBuffer(100_000)
            for page in pages:
                lines.add([line({"batch": [page]})])
            writer.write(lines)
            sys.stdout.write(f"{number + TOGETHER - 1}\n")
            sys.stdout.flush()
            writer.seal_if_due()


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
