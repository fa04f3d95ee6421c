"""SQL that writes a JSON object: the same function calls in both warehouses."""

from collections.abc import Callable, Mapping

from loader.protocol import encode_json


def object_sql(members: Mapping[str, str], text: Callable[[str], str]) -> str:
    """The JSON text of an object from its names and the SQL of their values, sorted by name.

    `text` writes a string as a literal of the warehouse's SQL.
    """
    parts = []
    for number, name in enumerate(sorted(members)):
        label = f"{',' if number else '{'}{encode_json(name).decode()}:"
        parts += [text(label), f"coalesce({members[name]}, 'null')"]
    return f"concat({', '.join(parts)}, '}}')" if parts else "'{}'"
