"""Draws the calls of a stretch of time: sessions of devices, before and after their login.

Everything is drawn as whole columns from `Generator.random`, a stream that numpy keeps stable; the
order of the draws is part of the format, as it decides the bytes that come out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from loader.demo import catalog
from loader.demo.clock import MONTH_SECONDS, MONTH_START
from loader.demo.hashing import Floats, Numbers, as_unit, mix_each, mix_range
from loader.demo.population import Population

_MEAN_LENGTH, _LONGEST = 8, 60  # calls in a session
_LATE_SHARE, _LATE_SECONDS = 0.03, 14 * 3600  # sessions sent hours later, from a device offline
_SHARED_SHARE = 0.03  # owned devices with a second user
_EVENT_SHARES: Floats = np.cumsum(np.array(list(catalog.EVENT_WEIGHTS.values())))
_EVENT_SHARES /= _EVENT_SHARES[-1]


class Draw(NamedTuple):
    """What chance decides of one call; the fields of fractions lie in [0, 1)."""

    hash: int
    device: int
    owner: int  # a user's number, -1 for nobody
    is_known: bool  # the call comes after the login
    is_first: bool  # of its session
    received_at: float
    late_seconds: float
    campaign: float  # fraction, one a session
    kind: float  # fraction: which call
    event: int  # place in catalog.EVENT_WEIGHTS
    delay: float  # fraction: between the call and its sending
    flaw: float  # fraction: in what way a contract is broken
    page: float  # fraction: which page or screen
    breaks: float  # fraction: whether a contract is broken
    strays: float  # fraction: whether the event's name is not the planned one
    loses_ids: float  # fraction: whether the call has no identity


class Stretch(NamedTuple):
    """A part of the month, told apart by `stream` from another over the same time."""

    chunk: int
    stream: int
    starts_at: float
    ends_at: float


def random_of(population: Population, stretch: Stretch) -> np.random.Generator:
    """The stretch's own stream of chance."""
    entropy = [population.seed, stretch.chunk, stretch.stream]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def draw_calls(
    population: Population, stretch: Stretch, count: int, rng: np.random.Generator
) -> Iterator[Draw]:
    """`count` calls in the order of their sessions; all is drawn when the first is asked for."""
    if count == 0:
        return
    session = _session_of_each(count, rng)
    sessions = int(session[-1]) + 1
    place = np.arange(count) - np.searchsorted(session, session)
    device = (rng.random(sessions) ** 1.6 * population.devices).astype(np.int64)
    device = (device * 2654435761 + 17) % population.devices  # some are busy, and those scattered
    owner, login_at = _owners(population, device, rng)
    seconds = stretch.ends_at - stretch.starts_at
    started_at = stretch.starts_at + rng.random(sessions) * seconds
    is_late = rng.random(sessions) < _LATE_SHARE
    late = np.where(is_late, -np.log(1 - rng.random(sessions)) * _LATE_SECONDS, 0.0)[session]
    campaign = rng.random(sessions)
    received_at = started_at[session] + place * 25 * rng.random(count) + rng.random(count)
    received_at = np.minimum(received_at, stretch.ends_at - 0.001)
    is_known = (owner[session] >= 0) & (received_at - late > login_at[session])
    kind, event, *rest = rng.random((8, count))
    base = population.seed * 31 + (stretch.chunk << 34) + (stretch.stream << 33)
    columns = (
        *(device[session], owner[session], is_known, place == 0, received_at, late),
        *(campaign[session], kind, np.searchsorted(_EVENT_SHARES, event), *rest),
    )
    lists = [column.tolist() for column in columns]
    yield from map(Draw._make, zip(mix_range(base, count), *lists, strict=True))


def _session_of_each(count: int, rng: np.random.Generator) -> Numbers:
    """The session number of each call: lengths are geometric, and the last session is cut."""
    sessions = max(1, int(count / 6) + 8)
    lengths = 1 + (np.log(1 - rng.random(sessions)) / np.log(1 - 1 / _MEAN_LENGTH)).astype(int)
    session = np.repeat(np.arange(sessions), np.minimum(lengths, _LONGEST))
    if len(session) < count:
        session = np.concatenate([session, np.full(count - len(session), sessions - 1)])
    return session[:count]


def _owners(
    population: Population, device: Numbers, rng: np.random.Generator
) -> tuple[Numbers, Floats]:
    """Each session's user (-1 for nobody) and when its device first logs in."""
    users = np.uint64(population.users)
    h, h2 = mix_each(device, population.seed + 11), mix_each(device, population.seed + 12)
    hashed = (h % users).astype(np.int64)
    has_second_owner = device < int(1.8 * population.users)
    owner = np.where(device < population.users, device, np.where(has_second_owner, hashed, -1))
    is_shared = (owner >= 0) & (as_unit(h2) < _SHARED_SHARE) & (rng.random(len(device)) < 0.4)
    owner = np.where(is_shared, (h2 % users).astype(np.int64), owner)
    login_at = MONTH_START + (as_unit(h2) * 1.2 - 0.35) * MONTH_SECONDS * 0.8
    return owner, login_at
