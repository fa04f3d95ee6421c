"""The code of docs/how-to, as a reader would copy it."""

import re
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
HOST = "https://events.example.com"


def block(page: str, title: str, *, host: str = HOST) -> str:
    """The code block under the heading or line that ends in `title`, with the reader's own host."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    found = re.findall(rf"{re.escape(title)}\n+```\w+\n(.*?)```", text, re.DOTALL)
    assert len(found) == 1, f"{page}.md: wanted one block under {title!r}, found {len(found)}"
    return str(found[0]).replace(HOST, host)
