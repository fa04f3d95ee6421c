"""The keys under `identity:` of headwater.yml: by what events are taken for one user's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

OTHERS: Final = "*"  # stands for every type that is not listed
_DEFAULT_LIMITS: Final = MappingProxyType({"user_id": 1, "email": 5, OTHERS: 5})
_DEFAULT_BLOCKED: Final = ("[0-]*", "-1", "null", "anonymous")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9 ._:-]{0,99}")
_CUSTOM: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ONE_BYTE: Final = re.compile(r"(?:^|[^\\])(?:\\\\)*\\C")
_LONGEST_CUSTOM: Final = 64  # context_traits_<name> is a column's name as it is
# Columns of every raw table: a trait or property of that name is not in them.
_TAKEN: Final = frozenset(
    {
        *("id", "user_id", "anonymous_id", "group_id", "previous_id", "event", "event_text"),
        *("timestamp", "received_at", "sent_at", "original_timestamp", "source_id", "loaded_at"),
        *("load_id", "uuid_ts"),
    }
)


@dataclass(frozen=True, kw_only=True)
class IdentifierConfig:
    """How many values of one type a user may have, and within which time; None is the default."""

    limit: int | None = None
    window: Literal["ever", "weekly", "monthly", "annually"] = "ever"

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError("limit: wanted 1 or more")


@dataclass(frozen=True, kw_only=True)
class IdentityConfig:
    """The rules of identity resolution, by Segment's names and with its defaults.

    `identifiers` is in order of priority, `*` last. `blocked` are regular expressions (RE2) of
    whole values. ValueError tells what can't be.
    """

    identifiers: dict[str, IdentifierConfig] = field(default_factory=dict)
    custom: tuple[str, ...] = ()
    blocked: tuple[str, ...] = _DEFAULT_BLOCKED
    max_merges: int = 100
    max_mappings: int = 1000

    def __post_init__(self) -> None:
        for name in ("max_merges", "max_mappings"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: wanted 1 or more")
        _check_types(tuple(self.identifiers))
        for name in self.custom:
            _check_custom(name)
        if self.blocked != _DEFAULT_BLOCKED:
            _check_patterns(self.blocked)

    def ranked(self) -> dict[str, IdentifierConfig]:
        """Every type that has a rule of its own, highest priority first, and `*` last.

        What the file doesn't list has its default: user_id is first, email comes right after it.
        """
        listed = dict(self.identifiers)
        others = listed.pop(OTHERS, IdentifierConfig())
        if "user_id" not in listed:
            listed = {"user_id": IdentifierConfig(), **listed}
        if "email" not in listed:
            place = list(listed).index("user_id") + 1
            before, after = list(listed.items())[:place], list(listed.items())[place:]
            listed = dict([*before, ("email", IdentifierConfig()), *after])
        return {
            name: IdentifierConfig(limit=rule.limit or _default_limit(name), window=rule.window)
            for name, rule in {**listed, OTHERS: others}.items()
        }

    def as_document(self) -> Mapping[str, Any]:
        """The rules in the form of headwater.yml, whole, for dbt."""
        return {
            "identifiers": {
                name: {"limit": rule.limit, "window": rule.window}
                for name, rule in self.ranked().items()
            },
            "custom": list(self.custom),
            "blocked": list(self.blocked),
            "max_merges": self.max_merges,
            "max_mappings": self.max_mappings,
        }


def _default_limit(name: str) -> int:
    return _DEFAULT_LIMITS.get(name, _DEFAULT_LIMITS[OTHERS])


def _check_types(types: tuple[str, ...]) -> None:
    if OTHERS in types[:-1]:
        raise ValueError(f"identifiers: {OTHERS!r} is all types not listed; write it last")
    for name in types:
        if name != OTHERS and not _TYPE.fullmatch(name):
            raise ValueError(
                f"identifiers: {name!r} is no type of identifiers; "
                "wanted lower-case letters, digits and ._:- , as in android.id"
            )


def _check_custom(name: str) -> None:
    if not _CUSTOM.fullmatch(name) or len(name) > _LONGEST_CUSTOM:
        raise ValueError(
            f"custom: {name!r}: wanted the key in snake_case, as in app_id "
            f"(appId is read too), of {_LONGEST_CUSTOM} characters at most"
        )
    if name in _TAKEN or name.startswith("context_"):
        raise ValueError(
            f"custom: {name!r} is a column of every call, not a trait or a property; leave it out"
        )


def _check_patterns(patterns: tuple[str, ...]) -> None:
    """What the warehouses' engine (RE2, which DuckDB and BigQuery have) can't read is refused."""
    import duckdb  # noqa: PLC0415 - slow, and few files have patterns of their own

    with duckdb.connect() as connection:
        for pattern in patterns:
            if not pattern.isprintable():
                raise ValueError(f"blocked: {pattern!r}: write what can't be printed as an escape")
            if _ONE_BYTE.search(pattern):
                raise ValueError(f"blocked: {pattern!r}: BigQuery knows no \\C")
            try:
                connection.execute("select regexp_full_match('', ?)", [pattern])
            except duckdb.Error as problem:
                reason = str(problem).splitlines()[0]
                raise ValueError(
                    f"blocked: {pattern!r} is no regular expression of RE2: {reason}"
                ) from None
