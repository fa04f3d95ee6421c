"""`identity:` of headwater.yml: what is taken, what is refused, and what dbt is told."""

import json

import pytest
import yaml

from loader.config import IdentifierConfig, IdentityConfig, read_config
from loader.errors import ConfigError
from tests.conftest import ROOT

EVER = {"limit": 5, "window": "ever"}


@pytest.fixture
def identity_of(tmp_path):
    def read(text):
        path = tmp_path / "headwater.yml"
        path.write_text(f"identity: {text}")
        return read_config(path).identity

    return read


def test_without_a_word_the_rules_are_segments():
    assert IdentityConfig().as_document() == {
        "identifiers": {"user_id": {"limit": 1, "window": "ever"}, "email": EVER, "*": EVER},
        "custom": [],
        "blocked": ["[0-]*", "-1", "null", "anonymous"],
        "max_merges": 100,
        "max_mappings": 1000,
    }


def test_plain_dbt_has_the_same_defaults():
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())

    assert project["vars"]["identity"] == IdentityConfig().as_document()
    assert list(project["vars"]["identity"]["identifiers"]) == ["user_id", "email", "*"]


def test_the_template_shows_the_defaults(identity_of):
    lines = (ROOT / "headwater.yml").read_text().splitlines()
    shown = lines[lines.index("# identity:") + 1 :]
    shown = shown[: shown.index("")]
    identity = identity_of("\n" + "\n".join(line.removeprefix("# ") for line in shown))

    defaults = IdentityConfig().as_document()
    assert identity.as_document() == {**defaults, "custom": ["app_id"]}


@pytest.mark.parametrize(
    ("written", "ranked"),
    [
        ("{phone: {limit: 2}}", ["user_id", "email", "phone", "*"]),
        ("{phone: {}, user_id: {}}", ["phone", "user_id", "email", "*"]),
        ("{email: {}, '*': {}}", ["user_id", "email", "*"]),
        ("{email: {}, user_id: {}, android.id: {}}", ["email", "user_id", "android.id", "*"]),
    ],
)
def test_the_order_is_the_priority_and_what_is_not_listed_keeps_its_place(
    identity_of, written, ranked
):
    assert list(identity_of(f"{{identifiers: {written}}}").ranked()) == ranked


def test_a_rule_has_the_limit_and_the_window_that_are_written(identity_of):
    identity = identity_of(
        "{identifiers: {user_id: {window: weekly}, phone: {limit: 2, window: annually},"
        " '*': {limit: 3, window: monthly}}, blocked: ['(?i)test', \"it's\"]}"
    )

    assert identity.ranked() == {
        "user_id": IdentifierConfig(limit=1, window="weekly"),
        "email": IdentifierConfig(limit=5),
        "phone": IdentifierConfig(limit=2, window="annually"),
        "*": IdentifierConfig(limit=3, window="monthly"),
    }
    assert json.loads(json.dumps(identity.as_document()))["blocked"] == ["(?i)test", "it's"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{identifiers: {'*': {}, email: {}}}", "'*' is all types not listed; write it last"),
        ("{identifiers: {email: {limit: 0}}}", "identity.identifiers.email: limit: wanted 1 or"),
        ("{identifiers: {email: {limit: true}}}", "email.limit: found True (bool), wanted a whole"),
        ("{identifiers: {email: {limit: '5'}}}", "email.limit: found '5' (str), wanted a whole"),
        ("{identifiers: {email: {window: week}}}", "did you mean 'weekly'?"),
        (
            "{identifiers: {email: 5}}",
            "identity.identifiers.email: found 5 (int), wanted a mapping",
        ),
        ("{identifiers: {Email: {}}}", "'Email' is no type of identifiers"),
        ('{identifiers: {"it\'s": {}}}', "is no type of identifiers"),
        ("{identifier: {}}", "did you mean 'identifiers'?"),
        ("{custom: [appId]}", "'appId': wanted the key in snake_case, as in app_id"),
        ("{custom: app_id}", "identity.custom: found 'app_id' (str), wanted a list"),
        ("{custom: [1]}", "identity.custom[0]: found 1 (int), wanted a string"),
        ("{custom: [user_id]}", "'user_id' is a column of every call"),
        ("{custom: [context_ip]}", "'context_ip' is a column of every call"),
        (f"{{custom: [{'a' * 65}]}}", "of 64 characters at most"),
        ("{blocked: ['a(']}", "blocked: 'a(' is no regular expression of RE2: "),
        ("{blocked: ['a)|(b']}", "is no regular expression of RE2"),
        ("{blocked: ['(?=a)']}", "is no regular expression of RE2"),
        (r"{blocked: ['(a)\1']}", "is no regular expression of RE2"),
        (r"{blocked: ['\\\C']}", r"BigQuery knows no \C"),
        (r'{blocked: ["a\nb"]}', "write what can't be printed as an escape"),
        ("{blocked: [0]}", "identity.blocked[0]: found 0 (int), wanted a string"),
        ("{max_merges: 0}", "max_merges: wanted 1 or more"),
        ("{max_mappings: 1.5}", "identity.max_mappings: found 1.5 (float), wanted a whole number"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(identity_of, written, said):
    with pytest.raises(ConfigError) as refused:
        identity_of(written)

    assert "headwater.yml: identity" in str(refused.value)
    assert said in str(refused.value)
