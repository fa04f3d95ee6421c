"""Lines on their way to the disk, gathered where the disk can fetch them itself."""

import mmap
from collections.abc import Iterable
from typing import Final

BLOCK_BYTES: Final = 4096
_PADDING: Final = b"\n" * BLOCK_BYTES


class LineBuffer:
    """Room for the lines of one write, in memory aligned as O_DIRECT wants it."""

    def __init__(self, capacity: int) -> None:
        self.filled = 0
        self._capacity = capacity
        self._memory = mmap.mmap(-1, capacity + BLOCK_BYTES)

    def has_room(self, size: int) -> bool:
        """Whether a line of so many bytes still fits."""
        return self.filled + size <= self._capacity

    def add(self, line: Iterable[bytes]) -> None:
        """Take one line, which fits, in parts, the last of which has its line end."""
        start = self.filled
        for part in line:
            end = start + len(part)
            self._memory[start:end] = part
            start = end
        self.filled = start

    def blocks(self) -> memoryview:
        """All lines as whole blocks, filled up with line breaks; release it when it is written."""
        padding = -self.filled % BLOCK_BYTES
        end = self.filled + padding
        self._memory[self.filled : end] = _PADDING[:padding]
        return memoryview(self._memory)[:end]

    def clear(self) -> None:
        """Have room again."""
        self.filled = 0
