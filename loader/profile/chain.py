"""The shortest chain of evidence between two identifiers of a profile."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

_BY_OVERRIDE: Final = (1, 0)  # behind every event


class Link(NamedTuple):
    """Two identifiers, by their numbers, that event `seq` carried; without one, an override."""

    node: int
    linked_node: int
    seq: int | None


_Neighbours = Mapping[int, Mapping[int, Link]]


def shortest_chain(links: Iterable[Link], start: int, end: int) -> list[Link] | None:
    """The fewest links that lead from `start` to `end`, in order; None if none do.

    Of several chains of that length it is the one whose first link is the earliest, then the
    second, and so on. An override is later than every event; equals are told apart by the
    identifier that they lead to.
    """
    neighbours = _neighbours(links)
    distances = _distances(neighbours, end, start)
    if start not in distances:
        return None
    chain: list[Link] = []
    at = start
    while at != end:
        nearer = (
            link
            for node, link in neighbours[at].items()
            if distances.get(node) == distances[at] - 1
        )
        chain.append(min(nearer, key=_age))
        at = chain[-1].linked_node
    return chain


def _neighbours(links: Iterable[Link]) -> _Neighbours:
    """Of each identifier those that it is linked to, each by its earliest link."""
    found: defaultdict[int, dict[int, Link]] = defaultdict(dict)
    for node, linked_node, seq in links:
        for link in (Link(node, linked_node, seq), Link(linked_node, node, seq)):
            known = found[link.node].get(link.linked_node)
            if known is None or _age(link) < _age(known):
                found[link.node][link.linked_node] = link
    return found


def _distances(neighbours: _Neighbours, origin: int, wanted: int) -> dict[int, int]:
    """How many links lead from `origin` to each identifier that is no farther than `wanted`."""
    distances = {origin: 0}
    waiting = deque([origin])
    while waiting and wanted not in distances:
        at = waiting.popleft()
        for node in neighbours.get(at, {}):
            if node not in distances:
                distances[node] = distances[at] + 1
                waiting.append(node)
    return distances


def _age(link: Link) -> tuple[tuple[int, int], int]:
    return (_BY_OVERRIDE if link.seq is None else (0, link.seq)), link.linked_node
