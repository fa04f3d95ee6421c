import dataclasses

import pytest

from loader.config import Secret, read_config, strip_write_keys
from loader.errors import ConfigError

HIDDEN = "s3cr3t-value"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "headwater.yml"
    path.write_text(
        "sources:\n"
        "  web: {write_key: 'pre-${HW_TEST_KEY}'}\n"
        f"  old: {{write_key: {HIDDEN}}}\n"
        "  none: {}\n"
    )
    return read_config(path)


def test_a_secret_is_revealed_when_used(config, monkeypatch):
    monkeypatch.setenv("HW_TEST_KEY", HIDDEN)

    assert config.sources["web"].write_key.reveal() == f"pre-{HIDDEN}"
    assert config.sources["old"].write_key.reveal() == HIDDEN
    assert config.sources["none"].write_key is None


@pytest.mark.parametrize("value", [None, ""])
def test_an_unset_variable_fails_only_who_uses_it(config, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("HW_TEST_KEY", raising=False)
    else:
        monkeypatch.setenv("HW_TEST_KEY", value)
    secret = config.sources["web"].write_key

    assert secret.reveal_or_none() is None
    with pytest.raises(ConfigError, match=r"sources\.web\.write_key.*HW_TEST_KEY is not set") as e:
        secret.reveal()
    assert "export HW_TEST_KEY" in e.value.fix


def test_no_way_of_printing_a_config_shows_a_secret(config, monkeypatch):
    monkeypatch.setenv("HW_TEST_KEY", HIDDEN)

    for shown in (repr(config), str(config), f"{config.sources['old'].write_key}"):
        assert HIDDEN not in shown


def test_an_error_about_a_secret_does_not_show_it(tmp_path):
    path = tmp_path / "headwater.yml"
    path.write_text("sources: {web: {write_key: 1234567}}")

    with pytest.raises(ConfigError, match=r"sources\.web\.write_key: found int") as raised:
        read_config(path)

    assert "1234567" not in str(raised.value)


def test_a_reference_may_stand_unquoted_in_braces(tmp_path, monkeypatch):
    path = tmp_path / "headwater.yml"
    path.write_text("sources: {web: {write_key: ${HW_TEST_KEY}}}")
    monkeypatch.setenv("HW_TEST_KEY", HIDDEN)

    assert read_config(path).sources["web"].write_key.reveal() == HIDDEN


def test_a_secret_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Secret("${A}", "x").template = "y"


@pytest.mark.parametrize(
    "text",
    [
        f'{{"writeKey":"{HIDDEN}","a":1}}',
        f'{{"writeKey" : "{HIDDEN}"',
        f'{{"writeKey":"{HIDDEN}',
        f'[{{"writeKey":"{HIDDEN}"}},{{"writeKey":\n"{HIDDEN}"}}]',
        f'"{{\\"writeKey\\":\\"{HIDDEN}\\"}}"',
        f'"{{\\\\\\"writeKey\\\\\\": \\\\\\"{HIDDEN}\\\\\\"}}"',
    ],
)
def test_write_keys_are_struck_out_of_text_that_is_kept(text):
    stripped = strip_write_keys(text)

    assert HIDDEN not in stripped
    assert "writeKey" in stripped


def test_what_is_no_write_key_stays():
    text = '{"event":"writeKey","properties":{"key":"writeKey"}}'

    assert strip_write_keys(text) == text
