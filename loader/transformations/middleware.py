"""`middleware:` of headwater.yml: functions of the workspace's own, `event -> event | None`."""

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from loader.config import nearest
from loader.errors import ConfigError
from loader.event.envelope import Event, normalise
from loader.event.parsing import parse

_MAX_REASON = 500  # characters of what an exception says


class MiddlewareFailed(Exception):
    """A function raised, or gave back what is no event: the event is kept back, as it came."""


class Middleware:
    """The functions in order, each imported by its `module:function` from the workspace's folder.

    Raises ConfigError that names the one that can't be had.
    """

    def __init__(self, names: Sequence[str], root: Path) -> None:
        if names and str(root) not in sys.path:
            sys.path.append(str(root))  # last, so that no file there takes a library's place
        self._functions = [(name, _find(name, i)) for i, name in enumerate(names)]

    def __call__(self, event: Event) -> Event | None:
        """What the functions make of a copy of `event`, None if one of them drops it.

        The messageId stays, whatever they do: exactly once is counted by it. Raises
        MiddlewareFailed.
        """
        if not self._functions:
            return event
        message_id = event["messageId"]
        given = _copied(event, "the event")
        for name, function in self._functions:
            try:
                returned = function(given)
            except (Exception, SystemExit) as problem:  # anybody's code: anything
                raise MiddlewareFailed(f"{name}: {_reason(problem)}") from problem
            if returned is None:
                return None
            given = _checked(returned, name)
            given["messageId"] = message_id
        return given


def _checked(returned: object, name: str) -> Event:
    """A function's event as JSON would have it (a datetime is its text), in the form of all."""
    if not isinstance(returned, dict):
        kind = type(returned).__name__
        raise MiddlewareFailed(f"{name}: returned {kind}; wanted an event (a dict) or None")
    event = _copied(returned, name)
    misfits: dict[str, Any] = {}
    rejection = normalise(event, misfits)
    for pointer, value in misfits.items():
        raise MiddlewareFailed(
            f"{name}: returned no event: {pointer}: found {type(value).__name__}, which is neither"
            " an object where one belongs nor an id"
        )
    if rejection is not None:
        raise MiddlewareFailed(f"{name}: returned no event: {rejection.path}: {rejection.message}")
    return event


def _copied(event: Event, name: str) -> Event:
    try:
        copied, _ = parse(msgspec.json.encode(event))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as problem:
        raise MiddlewareFailed(f"{name}: not to be had as JSON: {_reason(problem)}") from problem
    return copied  # type: ignore[no-any-return]


def _reason(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}"[:_MAX_REASON]


def _find(name: str, index: int) -> Callable[[Event], object]:
    where = f"headwater.yml: middleware[{index}]"
    module_name, colon, function_name = name.partition(":")
    if not colon or not module_name or not function_name:
        raise ConfigError(
            f"{where}: {name!r} is not of the form module:function", fix="write it so"
        )
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as problem:
        raise ConfigError(
            f"{where}: {module_name} can't be imported: {_reason(problem)}",
            fix="mend it; a module is looked for in the workspace's folder",
        ) from problem
    function = getattr(module, function_name, None)
    if inspect.iscoroutinefunction(function):
        raise ConfigError(
            f"{where}: {name} is async; wanted a plain function", fix="take async away"
        )
    if not callable(function):
        guess = nearest(function_name, vars(module))
        raise ConfigError(
            f"{where}: {module_name} has no function {function_name!r}",
            fix=f"did you mean {guess!r}?" if guess else f"define it in {module.__file__}",
        )
    return cast("Callable[[Event], object]", function)
