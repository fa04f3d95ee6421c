"""Conditions: which events a transformation is for. Data, never code.

A mapping of paths, all of which have to hold: `{properties.total: {at_least: 100}}`. A plain value
instead of `{operator: value}` means `equals`. `any` and `all` take lists of such mappings, `not`
one. A path may also name a field of the call: `event`, `userId`, `name`.

Nothing is converted: 5 is not "5", true is not 1. Of a value that is missing, null, or of another
kind than the operator asks for, nothing holds but `not_exists`, `not_equals`, `not_contains`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from loader.config import unknown_key
from loader.errors import ConfigError
from loader.event.envelope import Event
from loader.event.values import parse_moment
from loader.transformations.paths import get, split_path

Condition = Callable[[Event], bool]
_Test = Callable[[Any, Any], bool]  # (the event's value, the operator's)


def read_condition(found: object, where: str) -> Condition:
    """The condition that `found` states; ConfigError names the key below `where` that is wrong."""
    if not isinstance(found, Mapping) or not found:
        raise _wanted(where, found, "a mapping such as {properties.plan: pro}")
    parts = [_read_part(str(key), value, f"{where}.{key}") for key, value in found.items()]
    return parts[0] if len(parts) == 1 else lambda event: all(part(event) for part in parts)


def _read_part(key: str, found: object, where: str) -> Condition:
    if key == "not":
        inner = read_condition(found, where)
        return lambda event: not inner(event)
    if key in ("any", "all"):
        if not isinstance(found, list) or not found:
            raise _wanted(where, found, "a list of conditions")
        parts = [read_condition(part, f"{where}[{i}]") for i, part in enumerate(found)]
        holds = any if key == "any" else all
        return lambda event: holds(part(event) for part in parts)
    path = split_path(key)
    if "" in path:
        raise _wanted(where, key, "a path such as properties.plan")
    stated = found if isinstance(found, Mapping) else {"equals": found}
    tests = [_read_test(str(name), value, f"{where}.{name}") for name, value in stated.items()]
    if not tests:
        raise _wanted(where, found, "{operator: value}")
    return lambda event: all(test(get(event, path)) for test in tests)


def _read_test(name: str, wanted: Any, where: str) -> Callable[[Any], bool]:
    if name not in _OPERATORS:
        raise unknown_key(name, _OPERATORS, where.rpartition(".")[0])
    test, takes = _OPERATORS[name]
    value = takes(wanted)
    if value is None:
        raise _wanted(where, wanted, _OPERANDS[takes])
    return lambda found: test(found, value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _scalar(value: object) -> object | None:
    return value if isinstance(value, str | bool | int | float) else None


def _scalars(value: object) -> list[object] | None:
    is_list = isinstance(value, list) and value and all(_scalar(v) is not None for v in value)
    return value if is_list else None  # type: ignore[return-value]


def _true(value: object) -> bool | None:
    return True if value is True else None


def _moment(value: object) -> datetime | None:
    return parse_moment(str(value) if not isinstance(value, bool | int | float) else None)


_OPERANDS: Final[Mapping[Callable[[Any], Any], str]] = {
    _text: "a text",
    _number: "a number",
    _scalar: "a text, a number, true or false",
    _scalars: "a list of texts or numbers",
    _true: "true",
    _moment: "a time such as 2026-01-31T00:00:00Z",
}


def _equals(found: Any, wanted: Any) -> bool:
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, list):
        return any(_equals(value, wanted) for value in found)
    return isinstance(found, str) and isinstance(wanted, str) and wanted in found


def _compares(test: Callable[[float, float], bool]) -> _Test:
    return lambda found, wanted: _number(found) is not None and test(found, wanted)


def _begins(found: Any, wanted: str) -> bool:
    return isinstance(found, str) and found.startswith(wanted)


def _ends(found: Any, wanted: str) -> bool:
    return isinstance(found, str) and found.endswith(wanted)


def _when(test: Callable[[datetime, datetime], bool]) -> _Test:
    def holds(found: Any, wanted: datetime) -> bool:
        moment = parse_moment(found) if isinstance(found, str) else None
        return moment is not None and test(moment, wanted)

    return holds


_OPERATORS: Final[Mapping[str, tuple[_Test, Callable[[Any], Any]]]] = {
    "equals": (_equals, _scalar),
    "not_equals": (lambda found, wanted: not _equals(found, wanted), _scalar),
    "less_than": (_compares(lambda a, b: a < b), _number),
    "greater_than": (_compares(lambda a, b: a > b), _number),
    "at_most": (_compares(lambda a, b: a <= b), _number),
    "at_least": (_compares(lambda a, b: a >= b), _number),
    "contains": (_contains, _scalar),
    "not_contains": (lambda found, wanted: not _contains(found, wanted), _scalar),
    "starts_with": (_begins, _text),
    "ends_with": (_ends, _text),
    "exists": (lambda found, _: found is not None, _true),
    "not_exists": (lambda found, _: found is None, _true),
    "before": (_when(lambda a, b: a < b), _moment),
    "after": (_when(lambda a, b: a > b), _moment),
    "one_of": (lambda found, wanted: any(_equals(found, w) for w in wanted), _scalars),
    "contains_one_of": (lambda found, wanted: any(_contains(found, w) for w in wanted), _scalars),
}


def _wanted(where: str, found: object, wanted: str) -> ConfigError:
    return ConfigError(f"headwater.yml: {where}: found {found!r}, wanted {wanted}", fix="see docs")
