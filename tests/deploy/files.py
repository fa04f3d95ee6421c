"""deploy/ as the tests read it: units, the Dockerfile's instructions, command lines."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
GUIDE = ROOT / "docs" / "how-to" / "deploy.md"
UNITS = sorted(DEPLOY.glob("*.service"))


def unit_settings(path):
    """Every `Key=value` of a unit, the last one where a key stands twice."""
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))


def instructions():
    """(name, arguments) of the Dockerfile, in order; continued lines as one."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def in_json_form(instruction):
    """The words of the last CMD or ENTRYPOINT."""
    return json.loads(dict(instructions())[instruction])


def services():
    """The services of compose.yml."""
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]


def blocks(language):
    """The guide's blocks of code."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
