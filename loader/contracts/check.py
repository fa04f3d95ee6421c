"""All contracts of a workspace, and what they say of an event of a source.

An event is held to its own contract first, then what is left of it to the common one.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from loader.config import Config, ContractsConfig
from loader.contracts.checker import Checker
from loader.contracts.messages import show
from loader.contracts.omission import Place
from loader.contracts.plan import Contract
from loader.contracts.unplanned import Known, closed
from loader.contracts.verdict import Hearing, Verdict, Violation, told
from loader.event.envelope import BODY_FIELD, Event
from loader.event.naming import CALL_TABLES, table_name


class Contracts:
    """All contracts of a workspace, ready to check events.

    For who checks by other means: `common` and `versions_of` are the contracts, `policy_of` is what
    is done about a violation. `blocks_unplanned_events` and `omits_unplanned_properties` say
    whether that is so for any source.
    """

    def __init__(self, contracts: Iterable[Contract], config: Config | None = None) -> None:
        """Without `config` every policy is the default one; ConfigError for a bad `$ref`."""
        config = config or Config()
        self._general = config.contracts
        self._policies = {
            name: source.contracts.over(config.contracts) for name, source in config.sources.items()
        }
        checkers: dict[str, dict[int, Checker]] = {}
        for contract in sorted(contracts, key=lambda contract: contract.version):
            checkers.setdefault(contract.table, {})[contract.version] = Checker(contract)
        self._common = next(iter(checkers.pop("", {}).values()), None)
        self._by_table = checkers  # versions: the oldest first
        self._known: dict[tuple[str, int], Known] = {}
        policies = [self._general, *self._policies.values()]
        self.common = self._common.contract if self._common else None
        self.blocks_unplanned_events = any(p.unplanned_events == "block" for p in policies)
        self.omits_unplanned_properties = any(p.unplanned_properties == "omit" for p in policies)

    def versions_of(self, table: str) -> list[Contract]:
        """The contracts of a raw table, the oldest version first; none: its events are unplanned.

        The table of a track event is its own (`order_completed`), of the other calls the call's.
        """
        return [checker.contract for checker in self._by_table.get(table, {}).values()]

    def schemas_of(self, table: str, call: str) -> list[Any]:
        """Schemas for who only tells which events of `table`, of `call`, are surely good.

        An event that keeps all of them is let in as it is, whatever its version and source.
        `False` is the schema that no event keeps.
        """
        own: list[Any] = [contract.schema for contract in self.versions_of(table)]
        found = own + ([self.common.schema] if self.common else [])
        if not own and call == "track" and self.blocks_unplanned_events:
            return [False]
        if own and self.omits_unplanned_properties:
            return [closed(schema, BODY_FIELD[call]) for schema in found]
        return found

    def policy_of(self, source: str) -> ContractsConfig:
        """What is done about the violations of a source, known or not."""
        return self._policies.get(source, self._general)

    def judge(self, event: Event, source: str) -> Verdict | None:
        """What becomes of `event` (normalised, not changed); None: it is let in as it is."""
        policy = self._policies.get(source, self._general)
        own, common = self._checker_of(event), self._common
        is_planned = own is not None or event["type"] != "track"
        is_let_in = is_planned or policy.unplanned_events == "allow"
        omits = own is not None and policy.unplanned_properties == "omit"
        if (
            is_let_in
            and not omits
            and (own is None or own.is_valid(event))
            and (common is None or common.is_valid(event))
        ):
            return None  # as most events are: all below is for the others
        hearing = Hearing(event)
        if not is_let_in:
            hearing.block(_unplanned_event(event))
        if own is not None and omits:
            hearing.omit_unplanned(self._unplanned(event, own))
        for layer in filter(None, (own, common)):
            hearing.hold_to(layer, policy.on_violation)
        return hearing.verdict()

    def violations(self, event: Event) -> list[Violation]:
        """What `event` (normalised) breaks: its own contract's rules first, then the common ones.

        A track event's contract is found by its table, so that `order completed` is held to the
        rules of `Order Completed`.
        """
        layers = [layer for layer in (self._checker_of(event), self._common) if layer is not None]
        return [
            violation
            for layer in layers
            if not layer.is_valid(event)
            for violation in told(layer.errors(event))
        ]

    def _checker_of(self, event: Event) -> Checker | None:
        call = event["type"]
        table = table_name(event["event"]) if call == "track" else CALL_TABLES[call]
        versions = self._by_table.get(table)
        if versions is None:
            return None
        if len(versions) > 1:
            wanted = _version_of(event)
            if wanted in versions:
                return versions[wanted]
        return next(iter(versions.values()))

    def _unplanned(self, event: Event, own: Checker) -> Iterator[Place]:
        """The places in the properties (or traits) that neither contract knows."""
        contract = own.contract
        known = self._known.get((contract.table, contract.version))
        if known is None:
            schemas = [contract.schema] + ([self.common.schema] if self.common else [])
            known = Known((schema, schema) for schema in schemas)
            self._known[contract.table, contract.version] = known
        body = BODY_FIELD[event["type"]]
        of_body = known.property(body)
        return of_body.unplanned(event.get(body) or {}, (body,)) if of_body else iter(())


def _version_of(event: Event) -> int | None:
    """Which version of its contract the event names; None: none, or nothing that could be one."""
    protocols = (event.get("context") or {}).get("protocols")
    stated = protocols.get("event_version") if isinstance(protocols, dict) else None
    if type(stated) is float and stated.is_integer():
        return int(stated)
    return stated if type(stated) is int else None


def _unplanned_event(event: Event) -> Violation:
    why = f"{show(event['event'])} has no contract; its source takes only events that have one"
    return Violation("unplanned_event", "$.event", why)
