"""Functions of the workspace's own: what they may do, and what becomes of what they do wrong."""

import itertools
import sys
from copy import deepcopy

import pytest

from loader.errors import ConfigError
from loader.transformations.middleware import Middleware, MiddlewareFailed

NUMBERS = itertools.count()


@pytest.fixture
def middleware(tmp_path, monkeypatch):
    """The functions of a new module in a workspace's folder, by name."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = f"middleware_of_test_{next(NUMBERS)}"

    def make(code, *functions):
        (tmp_path / f"{module}.py").write_text(code)
        return Middleware([f"{module}:{function}" for function in functions or ["f"]], tmp_path)

    return make


def test_an_event_is_what_the_function_returns(middleware, event):
    functions = middleware(
        "def f(event):\n    event['properties']['a'] = 1\n    return event\n"
        "def g(event):\n"
        "    return event | {'event': 'Sale', 'traits': dict(event['properties'])}\n",
        "f",
        "g",
    )
    before = deepcopy(event)

    returned = functions(event)

    assert event == before
    assert (returned["event"], returned["properties"]["a"], returned["traits"]["a"]) == (
        "Sale",
        1,
        1,
    )


def test_none_drops_the_event_and_ends_the_row(middleware, event):
    functions = middleware("def f(event): return None\ndef g(event): raise ValueError\n", "f", "g")

    assert functions(event) is None


def test_without_functions_the_event_is_the_very_same(tmp_path, event):
    assert Middleware([], tmp_path)(event) is event


def test_what_json_knows_no_form_of_becomes_text(middleware, event):
    functions = middleware(
        "from datetime import datetime, UTC\nfrom decimal import Decimal\n"
        "def f(event):\n"
        "    at = datetime(2026, 1, 2, tzinfo=UTC)\n"
        "    return event | {'properties': {'at': at, 'd': Decimal('1.5'), 5: (1, 2)}}\n"
    )

    assert functions(event)["properties"] == {
        "at": "2026-01-02T00:00:00Z",
        "d": "1.5",
        "5": [1, 2],
    }


def test_the_message_id_stays_what_it_was(middleware, event):
    functions = middleware(
        "def f(event): return event | {'messageId': 'other'}\n"
        "def g(event): assert event.pop('messageId') == 'm1'; return event\n",
        "f",
        "g",
    )

    assert functions(event)["messageId"] == "m1"


def test_an_event_is_brought_into_the_one_form(middleware, event):
    functions = middleware(
        "def f(event): return {'type': 'Identify', 'userId': 7, 'traits': None}\n"
    )

    objects = {key: {} for key in ("properties", "traits", "context", "integrations")}
    assert functions(event) == {"type": "identify", "userId": "7", "messageId": "m1", **objects}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError('no such plan')", "ValueError: no such plan"),
        ("return event['nope']", "KeyError: 'nope'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("return f(event)", "RecursionError"),
        ("return 'text'", "returned str; wanted an event (a dict) or None"),
        ("return [event]", "returned list"),
        ("return {}", "returned no event: $.type"),
        ("return event | {'type': 'purchase'}", "'purchase' is not a call"),
        ("return event | {'userId': None, 'context': {}}", "neither userId nor anonymousId"),
        ("return event | {'event': ''}", "returned no event: $.event"),
        ("return event | {'userId': ['u']}", "/userId: found list"),
        ("return event | {'traits': 'text'}", "/traits: found str"),
        ("return event | {'properties': {'a': object()}}", "not to be had as JSON: TypeError"),
        ("return event | {'properties': {'a': '\\ud83d'}}", "not to be had as JSON: Unicode"),
        ("event['properties'] = event; return event", "not to be had as JSON: RecursionError"),
        ("raise ValueError('x' * 10_000)", "ValueError: xxx"),
    ],
)
def test_what_goes_wrong_is_said(middleware, event, body, told):
    functions = middleware(f"def f(event): {body}\n")

    with pytest.raises(MiddlewareFailed) as raised:
        functions(event)

    assert told in str(raised.value)
    assert ":f: " in str(raised.value)
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize(
    ("code", "name", "told"),
    [
        (
            "",
            "nothing_of_that_name:f",
            "middleware[0]: nothing_of_that_name can't be imported: Mod",
        ),
        ("", "no_colon", "middleware[0]: 'no_colon' is not of the form module:function"),
        ("def found(event): return event", "{}:fond", "did you mean 'found'?"),
        ("f = 5", "{}:f", "has no function 'f'"),
        ("async def f(event): return event", "{}:f", "async"),
        ("1 / 0", "{}:f", "can't be imported: ZeroDivisionError"),
        ("def f(:", "{}:f", "can't be imported: SyntaxError"),
        ("raise SystemExit", "{}:f", "can't be imported: SystemExit"),
    ],
)
def test_what_can_not_be_had_is_an_error_of_the_config(tmp_path, monkeypatch, code, name, told):
    monkeypatch.setattr(sys, "path", [*sys.path])
    module = f"middleware_of_test_{next(NUMBERS)}"
    (tmp_path / f"{module}.py").write_text(code)

    with pytest.raises(ConfigError) as raised:
        Middleware([name.format(module)], tmp_path)

    assert told in str(raised.value)


def test_a_file_of_the_workspace_takes_no_librarys_place(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "colorsys.py").write_text("def rgb_to_hsv(*_): return 'ours'\n")

    Middleware(["colorsys:rgb_to_hsv"], tmp_path)

    assert sys.path[-1] == str(tmp_path)
    assert "Lib" in sys.modules["colorsys"].__file__ or "python" in sys.modules["colorsys"].__file__
