"""What the properties of a track event are made from."""

from collections.abc import Callable
from typing import NamedTuple

from loader.demo import catalog

# A writer answers with the properties, as JSON without the braces, and with the kind of rule of
# the event's contract that they break, "" for none.
Properties = tuple[str, str]


class Moment(NamedTuple):
    """One track event before it has properties."""

    hash: int
    day: float  # since the month began
    happened_at: float
    breaks: bool  # its contract, if it has one
    flaw: float  # fraction in [0, 1): in what way
    email: str | None

    @property
    def product(self) -> int:
        """The number of the product that it is about."""
        return self.hash % catalog.PRODUCTS

    @property
    def currency(self) -> str:
        """The currency that it is paid in."""
        return catalog.CURRENCIES[self.hash >> 5 & 3]


Writer = Callable[[Moment], Properties]
