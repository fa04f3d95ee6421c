"""What a running process and its children have cost so far, as the kernel tells it."""

import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: int) -> float:
    """User and system time of `process` and of the children that it has now."""
    seconds = 0.0
    for member in _family(process):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
    return seconds


def peak_bytes(process: int) -> int:
    """The largest resident size that any one of them ever had."""
    return max(_peak(member) for member in _family(process))


def _peak(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"process {process} has ended")


def _family(process: int) -> list[int]:
    children = [
        int(child)
        for listed in Path(f"/proc/{process}/task").glob("*/children")
        for child in listed.read_text().split()
    ]
    return [process, *(member for child in children for member in _family(child))]
