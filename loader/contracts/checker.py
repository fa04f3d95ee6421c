"""Holds one event to one schema: fast when the event is good, exact when it isn't.

`jsonschema` is the judge of what a contract means. `jsonschema-rs` goes first, since it is a
hundred times faster: what it lets through is let in, what it refuses is put to the judge, who also
gives the reasons. So it must never let through what the judge would refuse. Where the two read a
keyword differently (regular expressions, formats, multiples, equal items, content), it asks the
judge's own function; a schema in which they could differ otherwise is put to the judge alone
(`agreement`).
"""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, Final

import jsonschema_rs
import referencing
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from loader.contracts.agreement import is_read_alike
from loader.contracts.plan import Contract
from loader.contracts.references import endless_reference
from loader.errors import ConfigError
from loader.event.envelope import Event

# What the deepest event that is read needs is less than half of it; at four times as much the stack
# of a thread of 8 MB overflows, which nothing can catch.
_MAX_FRAMES: Final = 5_000
# Of the event judged last: who asks whether it is valid asks next why not, and the judge is slow.
_REMEMBERED_ERRORS: Final = 50
_Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


def _never_raising(rule: _Rule) -> _Rule:
    """`rule` of the judge; where it raises, for instance on a number of 400 digits, it refuses."""

    def refuse_or_pass(
        validator: Any, value: Any, instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        try:
            yield from rule(validator, value, instance, schema)
        except (ArithmeticError, RecursionError, ValueError) as problem:
            yield ValidationError(f"{instance!r} can't be checked: {problem}")

    return refuse_or_pass


_RULES: Final = {
    word: _never_raising(Draft7Validator.VALIDATORS[word])
    for word in ("pattern", "format", "multipleOf", "uniqueItems")
}


def _additional_items(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """Means something only beside a list of `items`; beside `true` or `false` the judge raises."""
    if isinstance(schema.get("items"), list):
        yield from Draft7Validator.VALIDATORS["additionalItems"](validator, value, instance, schema)


def _telling_names(rule: _Rule) -> _Rule:
    """`rule` of the judge, for whom `false` is nobody's: it does not tell the property's name."""

    def find(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        named = {name: {"not": {}} if inner is False else inner for name, inner in value.items()}
        return rule(validator, named, instance, schema)

    return find


_Judge: Final = extend(  # type: ignore[no-untyped-call]
    Draft7Validator,
    {
        **_RULES,
        "additionalItems": _additional_items,
        "properties": _telling_names(Draft7Validator.VALIDATORS["properties"]),
        "patternProperties": _telling_names(Draft7Validator.VALIDATORS["patternProperties"]),
    },
)
_JUDGE_OF_VALUES: Final = _Judge({}, format_checker=Draft7Validator.FORMAT_CHECKER)


def _as_the_judge_has_it(rule: _Rule) -> type[Any]:
    """A keyword of `jsonschema-rs` that puts each value to the judge's `rule`."""

    class Keyword:
        def __init__(self, _parent: Any, wanted: Any, _path: Any) -> None:
            self._wanted = wanted

        def validate(self, instance: Any) -> None:
            for error in rule(_JUDGE_OF_VALUES, self._wanted, instance, {}):
                raise error

    return Keyword


class _Passed:
    """A keyword that the judge takes for a remark."""

    def __init__(self, *_: Any) -> None:
        pass

    def validate(self, _instance: Any) -> None:
        pass


_KEYWORDS: Final = {word: _as_the_judge_has_it(rule) for word, rule in _RULES.items()} | {
    "contentEncoding": _Passed,
    "contentMediaType": _Passed,
}


class Checker:
    """One contract, ready to check events; ConfigError if a `$ref` of it leads nowhere."""

    def __init__(self, contract: Contract) -> None:
        if reference := endless_reference(contract.schema):
            raise ConfigError(
                f"{contract.file}: the `$ref` {reference!r} leads back to itself, without end",
                fix="let it refer to what stands deeper in the event",
            )
        self.contract = contract
        self._is_surely_valid = _fast_check(contract)
        self._last: tuple[object, list[ValidationError]] = (object(), [])
        self._judge = _Judge(
            contract.schema,
            format_checker=Draft7Validator.FORMAT_CHECKER,
            registry=referencing.Registry(),
        )

    def is_valid(self, event: Event) -> bool:
        """Whether `event` (normalised) breaks no rule."""
        judged, errors = self._last
        if judged is event:
            return not errors
        try:
            if self._is_surely_valid is not None and self._is_surely_valid(event):
                return True
        except ValueError:
            pass  # a value that the fast one can't take, such as half of a surrogate pair
        with closing(self._judged(event)) as found:
            self._last = event, list(islice(found, _REMEMBERED_ERRORS))
        return not self._last[1]

    def errors(self, event: Event) -> Iterator[ValidationError]:
        """Each broken rule, as the judge finds them; that it can't find any is one, too."""
        judged, found = self._last
        if judged is event and len(found) < _REMEMBERED_ERRORS:
            return iter(found)
        return self._judged(event)

    def _judged(self, event: Event) -> Generator[ValidationError, None, None]:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _MAX_FRAMES))
        try:
            yield from self._judge.iter_errors(event)
        except MemoryError:
            raise
        except BaseException as problem:
            # No event may end a load. What holds the judge's references is written in Rust: out of
            # frames it panics, which is no Exception.
            if not isinstance(problem, Exception) and type(problem).__name__ != "PanicException":
                raise
            why = f"{type(problem).__name__}: {problem}"
            yield ValidationError(f"can't be checked against the contract: {why}", validator="$ref")
        finally:
            sys.setrecursionlimit(limit)


def _fast_check(contract: Contract) -> Callable[[Event], bool] | None:
    """Says True of events that the judge would let in, and of no other; None: ask the judge."""
    try:
        fast = jsonschema_rs.Draft7Validator(
            contract.schema, keywords=_KEYWORDS, validate_formats=True, retriever=_refuse_remote
        )
    except jsonschema_rs.ValidationError as problem:
        if isinstance(problem.kind, jsonschema_rs.ValidationErrorKind.Referencing):
            raise ConfigError(
                f"{contract.file}: {str(problem).splitlines()[0]}",
                fix="mend the file; a `$ref` must stay inside it",
            ) from problem
        return None  # such as a regular expression that only Python knows
    except ValueError:
        return None
    return fast.is_valid if is_read_alike(contract.schema) else None


def _refuse_remote(uri: str) -> Any:
    raise ValueError(f"{uri} is outside of the file")
