"""The shortest chain, against a search of all chains."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from loader.profile.chain import Link, shortest_chain

nodes = st.integers(0, 9)
links = st.lists(
    st.builds(Link, nodes, nodes, st.one_of(st.none(), st.integers(1, 12))).filter(
        lambda link: link.node != link.linked_node
    ),
    max_size=24,
)


def every_shortest_chain(found, start, end):
    """All paths without a repeated node that are as short as the shortest, as lists of nodes."""
    chains = [[start]]
    while chains:
        done = [chain for chain in chains if chain[-1] == end]
        if done:
            return done
        chains = [
            [*chain, node]
            for chain in chains
            for node in range(10)
            if node not in chain
            and any({chain[-1], node} == {link.node, link.linked_node} for link in found)
        ]
    return []


def ages(found, chain):
    """Of each hop the earliest event that carried both, behind all events an override."""
    return [
        (
            min(
                float("inf") if link.seq is None else link.seq
                for link in found
                if {link.node, link.linked_node} == set(hop)
            ),
            hop[1],
        )
        for hop in pairwise(chain)
    ]


@settings(max_examples=400, deadline=None)
@given(links, nodes, nodes)
def test_it_is_the_earliest_of_all_shortest_chains(found, start, end):
    chain = shortest_chain(found, start, end)

    every = every_shortest_chain(found, start, end)
    if not every:
        assert chain is None
        return
    best = min(every, key=lambda each: ages(found, each))
    told = [(float("inf") if link.seq is None else link.seq, link.linked_node) for link in chain]
    assert [start, *(link.linked_node for link in chain)] == best
    assert told == ages(found, best)
