"""The how-to, followed to the letter."""

import re

import pytest

from tests.conftest import ROOT
from tests.testing.test_plugin import pytest_in

PAGE = (ROOT / "docs/how-to/test-your-tracking.md").read_text(encoding="utf-8")
CONTRACT = ROOT / "schemas/track/order_completed.json"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def app(tmp_path):
    """The page's app and its test suite, with a contract."""
    code = {re.match(r"# (\S+)\n", block): block for block in [*blocks("python"), *blocks("ini")]}
    for name, block in code.items():
        if name is not None:
            (tmp_path / name[1]).write_text(block)
    (tmp_path / "schemas" / "track").mkdir(parents=True)
    (tmp_path / "schemas" / "track" / CONTRACT.name).write_bytes(CONTRACT.read_bytes())
    return tmp_path


def run(app):
    return pytest_in(app, "-q").stdout


def test_the_suite_of_the_page_passes(app):
    said = run(app)

    assert "2 passed" in said, said


def test_an_app_that_sends_a_string_fails_as_the_page_shows(app):
    source = (app / "checkout.py").read_text().replace('"total": total', '"total": str(total)')
    (app / "checkout.py").write_text(source)

    said = run(app)

    assert "2 failed" in said, said
    assert 'properties.total: "14500" (a string), wanted 14500 (a number)' in PAGE
    assert 'properties.total: "14500" (a string), wanted 14500 (a number)' in said


def test_an_app_that_breaks_the_contract_fails_as_the_page_shows(app):
    source = (app / "checkout.py").read_text().replace('"total": total', '"total": -5')
    (app / "checkout.py").write_text(source)

    said = run(app)

    [*_, example] = blocks("text")
    for line in example.strip().splitlines():
        assert line in said, said
