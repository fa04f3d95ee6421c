"""What a load takes, part by part: read, split and scanned ahead of who takes it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from loader.load.ahead import ahead
from loader.load.intake import Block, Intake
from loader.load.kernel import Kernel, Scanned, unscanned
from loader.load.reader import Progress, read_lines
from loader.spool import Segment, SpoolLine, read_spool

_BLOCK_BYTES: Final = 1024 * 1024  # of the spool, taken together
_FIRST_PART, _LAST_PART = 64, 4_096  # events taken together


class Feed:
    """Reads inputs in a thread of its own; `lines` counts those that were not blank."""

    def __init__(self, intake: Intake, kernel: Kernel | None) -> None:
        self.lines = 0
        self._intake = intake
        self._kernel = kernel
        self._part_events = _FIRST_PART

    def read_file(self, name: str, on_bytes: Callable[[int], None]) -> Iterator[Scanned]:
        """The events of a file, or of standard input; `on_bytes` as `read_lines` has it."""
        return self.scan(self._file_blocks(name, on_bytes))

    def read_spool(
        self, segments: Sequence[Segment], progress: Progress | None
    ) -> Iterator[Scanned]:
        """The events of segments, all workers' requests in the order of arrival."""
        return self.scan(self._spool_blocks(segments, progress))

    def scan(self, blocks: Iterator[Block]) -> Iterator[Scanned]:
        """The events of `blocks` in parts, of which a few are made before they are asked for."""
        return ahead(part for block in blocks for part in self._parts(block))

    def _parts(self, block: Block) -> Iterator[Scanned]:
        """Small ones at first: what Python learns of one the kernel knows of the next."""
        start = 0
        while start < len(block.texts):
            part = block.part(start, start + self._part_events)
            start += self._part_events
            self._part_events = min(2 * self._part_events, _LAST_PART)
            scanned = self._kernel.scan(part) if self._kernel else unscanned(part)
            batches = self._intake.split_batches(part, scanned.odd)
            if batches is None:
                yield scanned
            else:
                yield from self._parts(batches)

    def _file_blocks(self, name: str, on_bytes: Callable[[int], None]) -> Iterator[Block]:
        for lines in read_lines(name, on_bytes):
            filled = [line for line in lines if line and not line.isspace()]
            self.lines += len(filled)
            yield self._intake.read(filled)

    def _spool_blocks(
        self, segments: Sequence[Segment], progress: Progress | None
    ) -> Iterator[Block]:
        total = sum(segment.path.stat().st_size for segment in segments)
        done = held_bytes = 0
        lines: list[SpoolLine] = []
        for line in chain(read_spool(segments), [None]):
            if line is not None:
                lines.append(line)
                held_bytes += len(line.text)
            if line is None or held_bytes >= _BLOCK_BYTES:
                self.lines += len(lines)
                yield self._intake.read_spool(lines)
                done += held_bytes
                lines, held_bytes = [], 0
                if progress:
                    progress(done if line is not None else total, total)
