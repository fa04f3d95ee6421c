"""Well mixed numbers from plain ones: what a user or a device is follows from its number."""

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def mix(number: int) -> int:
    """64 mixed bits of any integer (the finaliser of splitmix64)."""
    x = (number + _STEP) & _MASK
    x = ((x ^ (x >> 30)) * _FIRST) & _MASK
    x = ((x ^ (x >> 27)) * _SECOND) & _MASK
    return x ^ (x >> 31)


def _finalise(x: Hashes) -> Hashes:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(_FIRST)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(_SECOND)
    return x ^ (x >> np.uint64(31))


def mix_each(numbers: Numbers, salt: int) -> Hashes:
    """One hash a number; another salt gives unrelated hashes."""
    return _finalise(numbers.astype(np.uint64) + np.uint64(mix(salt)))


def mix_range(start: int, count: int) -> list[int]:
    """`mix(mix(n))` for `count` numbers from `start` on, in one sweep."""
    x = np.arange(count, dtype=np.uint64) + np.uint64(start & _MASK)
    for _ in range(2):
        x = _finalise(x + np.uint64(_STEP))
    numbers: list[int] = x.tolist()
    return numbers


def as_unit(hashes: Hashes) -> Floats:
    """Hashes as fractions in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) * (1.0 / (1 << 53))


def as_uuid(high: int, low: int) -> str:
    """A version 4 UUID out of two hashes."""
    return (
        f"{high >> 32:08x}-{(high >> 16) & 0xFFFF:04x}-4{high & 0xFFF:03x}"
        f"-a{(low >> 48) & 0xFFF:03x}-{low & 0xFFFFFFFFFFFF:012x}"
    )
