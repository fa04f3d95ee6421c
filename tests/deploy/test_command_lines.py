"""What is started, wherever that is written, is what our command line takes."""

import re
import shlex

import click
import pytest

from loader.cli import headwater as group
from tests.deploy.files import DEPLOY, UNITS, blocks, in_json_form, services, unit_settings


def command_lines():
    for unit in UNITS:
        line = unit_settings(unit)["ExecStart"].replace("%i", "8080")
        yield unit.name, line.removeprefix("/opt/headwater/bin/")
    yield "Dockerfile", shlex.join([*in_json_form("ENTRYPOINT"), *in_json_form("CMD")])
    for name, service in services().items():
        if "command" in service:
            yield f"compose.yml: {name}", shlex.join(["headwater", *service["command"]])
    for number, (path, text) in enumerate(shell_texts()):
        for line in re.findall(r"(?m)(?:^|sudo |/bin/)(headwater [^\n|&;#]*)", text):
            yield f"{path}:{number}: {line.strip()}", line


def shell_texts():
    for block in blocks("sh"):
        yield "deploy.md", re.sub(r"\\\n", " ", block)
    compose = (DEPLOY / "compose.yml").read_text()
    yield "compose.yml", "\n".join(re.findall(r"^# First: (.*)$", compose, re.MULTILINE))


def test_command_lines_are_found_in_every_place():
    places = " ".join(place for place, _ in command_lines())

    assert all(
        place in places
        for place in ("collect@.service", "run.service", "Dockerfile", "compose.yml", "deploy.md")
    )


@pytest.mark.parametrize("line", [pytest.param(line, id=place) for place, line in command_lines()])
def test_a_command_line_is_one_that_headwater_takes(line):
    program, name, *words = shlex.split(line)

    context = group.commands[name].make_context(name, words)

    assert (program, context.command.name) == ("headwater", name)


def test_a_command_line_with_an_option_that_is_not_there_would_be_noticed():
    with pytest.raises(click.UsageError, match="--prot"):
        group.commands["collect"].make_context("collect", ["--prot", "8080"])
