"""Says of which schemas `jsonschema` and `jsonschema-rs` are known to give the same meaning.

Known is what `tests/contracts` prove: by the public test suite of JSON Schema, and by schemas and
events made up at random. A schema that goes beyond that is slower to check, and never less exact.
"""

from typing import Any, Final

from loader.contracts.references import schemas_in, target_of
from loader.event.values import MAX_EXACT_INT

# The base and dialect of a part of a schema, and which keys match a regular expression.
_UNSURE: Final = frozenset({"$id", "$schema", "patternProperties"})


def is_read_alike(schema: Any) -> bool:
    """Whether `schema`, a checked draft-07 one, means the same to both."""
    if not isinstance(schema, dict):
        return True
    own = {word: value for word, value in schema.items() if word not in ("$id", "$schema")}
    return _has_exact_numbers(own) and _is_alike(own, schema, set())


def _is_alike(schema: Any, root: Any, followed: set[str]) -> bool:
    if not isinstance(schema, dict):
        return True
    if not _UNSURE.isdisjoint(schema):
        return False
    reference = schema.get("$ref")
    if reference is not None and reference not in followed:
        followed.add(reference)
        target = target_of(reference, root)
        if target is None or not (target is root or _is_alike(target, root, followed)):
            return False
    return all(_is_alike(inner, root, followed) for _, inner in schemas_in(schema))


def _has_exact_numbers(value: Any) -> bool:
    """Not so where a float stands for several integers: 1e30 is 10**30 to one, not to the other."""
    if isinstance(value, dict):
        return all(map(_has_exact_numbers, value.values()))
    if isinstance(value, list):
        return all(map(_has_exact_numbers, value))
    return not isinstance(value, int | float) or abs(value) <= MAX_EXACT_INT
