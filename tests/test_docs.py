"""What the docs show is what there is."""

import dataclasses
import re
import time
from pathlib import Path

import click
import pytest

from loader.cli import headwater as group
from loader.config import (
    AlertConfig,
    CollectorConfig,
    Config,
    ContractsConfig,
    EnrichmentConfig,
    OAuthConfig,
    PrivacyConfig,
    RetentionConfig,
    Secret,
    SourceConfig,
    SyncConfig,
    TransformationConfig,
    WarehouseConfig,
    read_config,
)
from loader.destinations.webhook import Webhook
from loader.load import load_files
from loader.protocol import Row
from loader.scaffold import create_workspace

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def code(name, language):
    return re.findall(rf"```{language}\n(.*?)```", page(name), re.DOTALL)


@pytest.mark.parametrize("command", group.commands.values(), ids=lambda command: command.name)
def test_every_option_is_in_the_reference(command):
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    params = [param for each in (command, *inner) for param in each.params]
    options = [param.opts[0] for param in params if isinstance(param, click.Option)]

    missing = [option for option in options if f"`{option}" not in page("docs/reference/cli.md")]

    assert missing == []
    assert f"`headwater {command.name}" in page("docs/reference/cli.md")
    assert f"`headwater {command.name}" in page("README.md")
    for each in inner:
        assert f"`headwater {command.name} {each.name}" in page("docs/reference/cli.md")


@pytest.mark.parametrize(
    "section",
    [
        *(Config, SourceConfig, OAuthConfig, CollectorConfig, ContractsConfig, AlertConfig),
        *(RetentionConfig, SyncConfig, WarehouseConfig, Webhook),
        *(PrivacyConfig, EnrichmentConfig, TransformationConfig),
    ],
)
def test_every_key_of_headwater_yml_is_in_the_reference(section):
    names = [field.name.removesuffix("_") for field in dataclasses.fields(section)]

    missing = [
        name for name in names if not re.search(rf"`{name}\b", page("docs/reference/config.md"))
    ]

    assert missing == []


def test_the_whole_config_of_the_reference_is_read(tmp_path):
    path = tmp_path / "headwater.yml"
    path.write_text(code("docs/reference/config.md", "yaml")[-1])

    assert read_config(path).syncs["users_to_webhook"].destination == "my_webhook"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_first_five_minutes_of_the_readme_load_as_it_says(tmp_path):
    [events] = re.findall(r"<<'END'\n(.*?)END\n", page("README.md"), re.DOTALL)
    (tmp_path / "events.ndjson").write_text(events)

    report = load_files(create_workspace(tmp_path / "ws"), [str(tmp_path / "events.ndjson")])

    assert (report.accepted, report.blocked) == (3, 1)


def test_the_events_of_the_tutorial_load_as_it_says(tmp_path):
    (tmp_path / "events.ndjson").write_text(code("docs/tutorial.md", "json")[0])

    report = load_files(create_workspace(tmp_path / "ws"), [str(tmp_path / "events.ndjson")])

    assert (report.accepted, report.blocked) == (4, 1)


@pytest.fixture
def signed():
    """The body and the signature of a request as the webhook sends it, for a moment."""

    def sign(sent_at):
        hook = Webhook(base_url=Secret("http://127.0.0.1", "x"), secret=Secret("change-me", "x"))
        row = Row(sync="s", operation="added", key={"id": 1}, fields={}, changed=[], message_id="m")
        request = next(hook.deliver([row]))
        body = b'{"any": "body"}'
        return body, request.sign(body, sent_at)["X-Headwater-Signature"]

    return sign


def test_the_verifier_in_python_takes_what_we_sign_and_nothing_else(signed):
    space = {}
    exec(code("docs/how-to/webhook.md", "python")[0], space)
    is_genuine = space["is_genuine"]
    now = int(time.time())
    body, header = signed(now)
    _, old_header = signed(now - 3_600)

    assert is_genuine("change-me", header, body)
    assert not is_genuine("another", header, body)
    assert not is_genuine("change-me", header, body + b" ")
    assert not is_genuine("change-me", old_header, body)
    assert not is_genuine("change-me", "", body)
