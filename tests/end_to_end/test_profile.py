"""Profiles shown, explained, corrected and put back, on what load and dbt have made."""

import json

import pytest

from loader.cli import main
from loader.load import load_files
from loader.overrides import Identifier, overrides_file
from loader.scaffold import create_workspace
from loader.transform import transform
from tests.bigquery.models import MODELS_ONLY
from tests.profile.tables import segment_id

NAMES = ("ann", "bob", "eve", "kiosk", "phone", "tablet", "ann@x")
CORRECTIONS = (
    ("split", "tablet"),
    ("block", "ann@x"),
    ("merge", "ann", "eve"),
)
TABLET, EVE = (
    segment_id(Identifier(*pair)) for pair in (("anonymous_id", "tablet"), ("user_id", "eve"))
)


def call(number, kind, **fields):
    return {
        "type": kind,
        "messageId": f"m{number}",
        "timestamp": f"2026-03-04T10:00:{number:02}Z",
        "receivedAt": f"2026-03-04T10:00:{number:02}Z",
        **fields,
    }


CALLS = [
    call(1, "identify", userId="ann", anonymousId="kiosk", traits={"email": "ann@x"}),
    call(2, "page", userId="bob", anonymousId="kiosk"),
    call(3, "identify", anonymousId="phone", traits={"email": "ann@x"}),
    call(4, "page", anonymousId="tablet"),
    call(5, "page", userId="ann", anonymousId="tablet"),
    call(6, "page", userId="eve"),
    call(7, "group", userId="ann", groupId="acme"),
]


class Road:
    """The workspace, and `headwater profile … --json` in it."""

    def __init__(self, workspace, capsys):
        self.workspace = workspace
        self._capsys = capsys

    def profile(self, *arguments):
        root = str(self.workspace.root)
        code = main(["profile", *arguments, "--json", "--workspace", root])
        written = self._capsys.readouterr()
        return json.loads(written.out) if code == 0 else written.err

    def ids(self):
        """Of each identifier its profile, or what is said of it."""
        found = {name: self.profile("show", name) for name in NAMES}
        return {
            name: shown["canonical_id"] if isinstance(shown, dict) else shown
            for name, shown in found.items()
        }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles")
    created = create_workspace(folder / "ws")
    path = folder / "calls.ndjson"
    path.write_text("".join(json.dumps(each) + "\n" for each in CALLS))
    assert load_files(created, [str(path)]).accepted == len(CALLS)
    transform(created, arguments=MODELS_ONLY)
    return created


@pytest.fixture
def road(loaded, capsys):
    return Road(loaded, capsys)


def test_a_person_is_shown_and_explained(road):
    shown = road.profile("show", TABLET)
    bob = road.profile("show", "bob")
    chain = road.profile("explain", "phone", "tablet")
    apart = road.profile("explain", "bob", "kiosk")

    assert sorted(row["value"] for row in shown["identifiers"]) == [
        *("ann", "ann@x", "kiosk", "phone", "tablet"),
    ]
    assert shown["former_id"] == TABLET
    [merge] = shown["merges"]
    assert (merge["segment_id"], merge["triggering_event_id"]) == (TABLET, "m5")
    assert [row["id"] for row in shown["events"]] == ["m7", "m5", "m4", "m3", "m1"]
    assert [row["group_id"] for row in shown["groups"]] == ["acme"]
    [demoted] = bob["demoted"]
    assert (demoted["value"], demoted["first_event_id"]) == ("kiosk", "m2")
    assert [hop["event_id"] for hop in chain["hops"]] == ["m3", "m1", "m5"]
    assert apart["is_one_profile"] is False
    assert (apart["demotions"][0]["event_id"], apart["demotions"][0]["reason"]) == ("m2", "limit")


def test_a_profile_is_corrected_and_put_back(road):
    before = road.ids()
    ann = before["ann"]

    for command in CORRECTIONS[:-1]:
        road.profile(*command)
    done = road.profile(*CORRECTIONS[-1], "--transform")

    assert set(done["transform"]["counts"]) <= {"success", "pass"}
    after = road.ids()
    assert (after["tablet"], after["eve"], after["kiosk"]) == (TABLET, ann, ann)
    assert after["phone"] not in (ann, before["phone"])
    assert "ann@x: events carried it, but it identified nobody\n  override" in after["ann@x"]
    shown = road.profile("show", EVE)
    assert (shown["former_id"], shown["canonical_id"]) == (EVE, ann)
    assert {row["segment_id"] for row in shown["splits"]} >= {TABLET}
    assert {it["kind"] for it in shown["overrides"]} == {"split", "block_identifier", "merge"}
    assert [it["state"] for it in road.profile("overrides")] == ["in force"] * 3
    assert [hop["by"] for hop in road.profile("explain", "eve", "ann")["hops"]] == ["override"]

    for command in CORRECTIONS:
        road.profile(*command, "--undo")
    assert {it["state"] for it in road.profile("overrides")} == {"until the next transform"}
    transform(road.workspace, arguments=MODELS_ONLY)

    assert road.ids() == before
    assert road.profile("overrides") == []
    assert len(overrides_file(road.workspace).read_text().splitlines()) == 1
