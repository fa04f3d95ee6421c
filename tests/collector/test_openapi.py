"""The OpenAPI document tells the truth: schemathesis calls the collector as it says, and as not."""

import gzip
import json
import re
import subprocess
import sys

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.collector.child import collecting, configure, spooled
from tests.conftest import ROOT, make_workspace

DOCUMENT = yaml.safe_load((ROOT / "docs/reference/openapi.yaml").read_text(encoding="utf-8"))
WITH_KEY = ("--auth", "wk_server:")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A collector that has a package of scripts."""
    workspace = make_workspace(tmp_path_factory.mktemp("openapi") / "workspace")
    scripts = workspace.root / "analytics-next" / "dist" / "umd"
    scripts.mkdir(parents=True)
    for name in ("standalone.js", "407.bundle.61efa1acb302134c434b.js"):
        (scripts / name).write_text("//")
    configure(workspace, collector={"analytics_js": "analytics-next"})
    with collecting(workspace) as collector:
        collector.workspace = workspace
        yield collector


def schemathesis(served, folder, *arguments, document=DOCUMENT):
    """What it says of the collector, and whether it found nothing to say."""
    (folder / "openapi.json").write_text(json.dumps(document))
    command = [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", served.url]
    options = ["--seed", "1", "--continue-on-failure", "--warnings", "off", "--no-color"]
    done = subprocess.run(
        [*command, *options, *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_no_request_gets_a_fault_or_an_answer_that_is_not_documented(served, tmp_path):
    is_fine, report = schemathesis(served, tmp_path, "--max-examples", "25", *WITH_KEY)

    assert is_fine, report
    assert "Tested: 13" in report
    assert len(spooled(served.workspace)) > 100  # else no event was accepted, and little tested


def test_neither_does_one_without_a_key(served, tmp_path):
    is_fine, report = schemathesis(served, tmp_path, "--phases", "examples,coverage")

    assert is_fine, report


def test_an_answer_that_is_not_documented_would_be_found(served, tmp_path):
    batch = DOCUMENT["paths"]["/v1/batch"]["post"]
    kept = {status: found for status, found in batch["responses"].items() if status != "401"}
    less = {**DOCUMENT, "paths": {"/v1/batch": {"post": {**batch, "responses": kept}}}}

    is_fine, report = schemathesis(served, tmp_path, "--phases", "coverage", document=less)

    assert not is_fine
    assert "Received: 401" in report


@pytest.mark.parametrize(
    ("method", "path", "sent", "headers", "status"),
    [
        ("POST", "/v1/track", b"{}" + b" " * 6_000_000, {}, 413),
        ("POST", "/v1/batch", gzip.compress(b" " * 6_000_000), {"Content-Encoding": "gzip"}, 413),
        ("POST", "/v1/batch", b"\xff", {}, 400),
        ("POST", "/v1/b", b"{}", {"X-Long": "x" * 200_000}, 431),
        ("GET", "/v1/projects/wk_web/settings", None, {}, 200),
        ("GET", "/v1/projects/wk_nobody/settings", None, {}, 404),
        ("GET", "/analytics.js/v1/wk_web/analytics.min.js", None, {}, 200),
        ("GET", "/analytics-next/bundles/none.js", None, {}, 404),
        ("PUT", "/token", None, {}, 405),
        ("GET", "/ready", None, {}, 200),
    ],
)
def test_what_schemathesis_does_not_come_upon_is_documented_too(
    served, method, path, sent, headers, status
):
    answer, named, body = served.post(path, sent, {**headers, "Origin": "https://x"}, method)
    operation = operation_at(path, method)
    found = resolved(operation["responses"][str(status)])

    assert answer == status
    media = named["content-type"].partition(";")[0]
    if media == "application/json":
        whole = {**found["content"][media]["schema"], "components": DOCUMENT["components"]}
        Draft202012Validator(whole).validate(json.loads(body))
    assert media in found["content"]
    for name in found.get("headers", {}):
        assert name.lower() in named


def test_who_has_a_script_gets_304(served):
    path = "/analytics-next/bundles/407.bundle.61efa1acb302134c434b.js"
    _, headers, _ = served.get(path)

    status, kept, body = served.get(path, {"If-None-Match": headers["etag"]})

    assert (status, body, kept["etag"]) == (304, b"", headers["etag"])
    assert "304" in operation_at(path, "GET")["responses"]


def test_the_reference_names_every_code_metric_and_address(served):
    page = (ROOT / "docs/reference/collector.md").read_text(encoding="utf-8")
    code = "".join(path.read_text() for path in (ROOT / "loader/collector").glob("*.py"))
    codes = set(re.findall(r'refusal\(\s*\d+,\s*"(\w+)"', code))
    metrics = set(re.findall(r"^(headwater_\w+?)[{ ]", served.get("/metrics")[2].decode(), re.M))
    addresses = {path.partition("{")[0].rstrip("/") for path in DOCUMENT["paths"]}

    assert "overloaded" in codes
    assert "headwater_requests_total" in metrics
    assert {name for name in codes | metrics | addresses if name not in page} == set()


def operation_at(path, method):
    """The documented operation; of a method that is not there, the one beside it."""
    parts = path.split("/")
    for template, item in DOCUMENT["paths"].items():
        wanted = template.split("/")
        if len(wanted) == len(parts) and all(
            want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=True)
        ):
            return item.get(method.lower()) or next(iter(item.values()))
    raise AssertionError(f"{path} is not documented")


def resolved(found):
    if "$ref" not in found:
        return found
    return DOCUMENT["components"]["responses"][found["$ref"].rpartition("/")[2]]
