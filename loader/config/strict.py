"""Builds a frozen dataclass from parsed YAML; anything that does not fit is a ConfigError.

The message says where (the dotted key), what was found and what was wanted, and an unknown key
names the nearest known one. `build` is used for headwater.yml and for a destination's settings.
"""

import dataclasses
import difflib
import re
import types
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from loader.config.secrets import Secret
from loader.errors import ConfigError

_DURATION = re.compile(r"(\d+)\s*(ms|s|m|h|d)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


class Percent(float):
    """A share of something, written as `5%` and worth 0.05."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a slip of, or None."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return close[0] if close else None


def build(cls: type[Any], found: object, where: str, *, file: str = "headwater.yml") -> Any:
    """An instance of the dataclass `cls` from the mapping `found`, which stands at key `where`."""
    if not isinstance(found, Mapping):
        raise _mismatch(file, where, found, "a mapping")
    hints = get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(cls) if field.init]
    by_key = {_key(name): name for name in known}
    for key in found:
        if str(key) not in by_key:
            raise unknown_key(str(key), by_key, where, file=file)
    found = {by_key[str(key)]: value for key, value in found.items()}
    values = {
        key: _convert(hints[key], value, _join(where, _key(key)), file)
        for key, value in found.items()
        if not (value is None and _has_default(cls, key))
    }
    missing = [name for name in known if name not in values and not _has_default(cls, name)]
    if missing:
        raise ConfigError(
            f"{file}: {where or 'top level'}: the key {missing[0]!r} is missing",
            fix=f"add {missing[0]!r} there",
        )
    try:
        return cls(**values)
    except ValueError as problem:
        raise ConfigError(f"{file}: {where or 'top level'}: {problem}") from problem


def unknown_key(
    key: str, known: Iterable[str], where: str, *, file: str = "headwater.yml"
) -> ConfigError:
    """The error for a key that nobody reads."""
    names = sorted(known)
    guess = nearest(key, names)
    fix = f"did you mean {guess!r}?" if guess else f"known here: {', '.join(names) or 'none'}"
    return ConfigError(f"{file}: {_join(where, key)}: unknown key {key!r}", fix=fix)


def _key(field_name: str) -> str:
    """The key of a field: `if` is a keyword of Python's, so that its field is called `if_`."""
    return field_name.removesuffix("_")


def _has_default(cls: type[Any], name: str) -> bool:
    field = next(field for field in dataclasses.fields(cls) if field.name == name)
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _convert(wanted: Any, value: object, where: str, file: str) -> Any:
    origin, args = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        if type(value) in args:
            return value
        return _convert(next(arg for arg in args if arg is not type(None)), value, where, file)
    if origin is Literal:
        return _convert_choice([str(arg) for arg in args], value, where, file)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise _mismatch(file, where, value, "a mapping")
        return {str(k): _convert(args[1], v, _join(where, str(k)), file) for k, v in value.items()}
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise _mismatch(file, where, value, "a list")
        return tuple(_convert(args[0], v, f"{where}[{i}]", file) for i, v in enumerate(value))
    if dataclasses.is_dataclass(wanted) and wanted is not Secret and isinstance(wanted, type):
        return build(wanted, value, where, file=file)
    return _convert_scalar(wanted, value, where, file)


def _convert_choice(choices: list[str], value: object, where: str, file: str) -> str:
    if str(value) not in choices:
        guess = nearest(str(value), choices)
        hint = f"did you mean {guess!r}?" if guess else f"use one of {', '.join(choices)}"
        raise ConfigError(
            f"{file}: {where}: {value!r} is not one of {', '.join(choices)}", fix=hint
        )
    return str(value)


def _convert_scalar(wanted: Any, value: object, where: str, file: str) -> Any:
    if wanted is Secret:
        if not isinstance(value, str):
            wanted = "a string, best as ${NAME}"  # and its value is nobody's to read
            found = type(value).__name__
            raise ConfigError(
                f"{file}: {where}: found {found}, wanted {wanted}", fix=f"write {wanted}"
            )
        return Secret(value, where)
    if wanted is timedelta:
        match = _DURATION.fullmatch(str(value))
        if match is None:
            raise _mismatch(file, where, value, "a duration such as 30s, 15m or 1h")
        return timedelta(seconds=int(match.group(1)) * _UNITS[match.group(2)])
    if wanted is Percent:
        share = _PERCENT.fullmatch(str(value))
        if share is None:
            raise _mismatch(file, where, value, "a percentage such as 5%")
        return Percent(float(share.group(1)) / 100)
    if wanted is Any or wanted is object:
        return value
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise _mismatch(file, where, value, _NAMES.get(wanted, wanted.__name__))
    return value


def _mismatch(file: str, where: str, value: object, wanted: str) -> ConfigError:
    found = "nothing" if value is None else f"{value!r} ({type(value).__name__})"
    return ConfigError(
        f"{file}: {where or 'top level'}: found {found}, wanted {wanted}", fix=f"write {wanted}"
    )
