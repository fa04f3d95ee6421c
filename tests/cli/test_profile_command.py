"""`headwater profile` on tables made by hand; tests/end_to_end has it on what dbt built."""

import json

import pytest

from loader.overrides import Identifier, overrides_file
from tests.profile.tables import START, Identity, publish, segment_id

U1, U2, IPAD = (
    Identifier(*n.split(":")) for n in ("user_id:u1", "user_id:u2", "anonymous_id:ipad")
)
P1, P2 = segment_id(U1), segment_id(U2)


@pytest.fixture
def shared(workspace):
    """Two users of one tablet; the first was merged with an older id of another device."""
    identity = Identity()
    identity.event("user_id:u1", "anonymous_id:ipad", "email:a@x")
    identity.event("user_id:u2", "anonymous_id:ipad", anonymous_id="limit")
    identity.event("user_id:u1", "email:vain@x", email="override")
    rules = json.dumps({"blocked": ["[0-]*", "anonymous"]})
    identity.more = {
        "int_identity_rules": [(rules,)],
        "id_graph": [("f0", P1), ("f1", P1)],
        "profile_merges": [("f0", P1, "identify", "m1", START), ("f1", P1, "override", None, None)],
        "profile_splits": [(P1, P2, START)],
        "user_traits": [(P1, "plan", "pro", "m1", START), (P2, "plan", "free", "m2", START)],
        "group_memberships": [(P1, "acme", START, START)],
        "audience_memberships": [("spenders", P1, START, None)],
    }
    publish(workspace, identity)
    return identity


@pytest.mark.parametrize("asked", ["user_id:u1", "u1", "a@x", "email: A@X", P1, f"segment_id:{P1}"])
def test_show_finds_a_profile_by_whatever_it_goes_by(headwater, shared, asked):
    ended = headwater("profile", "show", asked, "--json")

    assert ended.document["canonical_id"] == P1
    assert ended.document["former_id"] is None


def test_show_gives_all_of_one_profile(headwater, shared):
    found = headwater("profile", "show", "u1", "--events", "1", "--json").document

    assert [(row["type"], row["value"]) for row in found["identifiers"]] == [
        ("anonymous_id", "ipad"),
        ("email", "a@x"),
        ("user_id", "u1"),
    ]
    assert [row["id"] for row in found["events"]] == ["m3"]
    assert found["traits"][0]["value"] == "pro"
    assert found["groups"][0]["group_id"] == "acme"
    assert found["audiences"][0]["audience"] == "spenders"
    assert found["computed_traits"] == []  # there is no such mart here
    assert found["former_ids"] == ["f0", "f1"]
    assert found["splits"][0]["split_at"] == "2026-03-01T00:00:00Z"
    [demoted] = found["demoted"]
    assert (demoted["value"], demoted["reason"], demoted["events"]) == ("vain@x", "override", 1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("f0", f"f0 is a former id of it: merged into {P1} by identify m1 at 2026-03-01 00:00:00"),
        ("segment_id:f1", f"f1 is a former id of it: merged into {P1} by an override\n"),
    ],
)
def test_show_tells_what_became_of_a_former_id(headwater, shared, asked, told):
    ended = headwater("profile", "show", asked)

    assert ended.out.startswith(f"profile {P1}\n{told}")


def test_show_cuts_long_lists_and_its_text_is_obeyed_by_no_terminal(headwater, workspace):
    identity = Identity()
    for number in range(25):
        identity.event("user_id:u1", f"email:{number:02}\x1b[2J")
    publish(workspace, identity)

    ended = headwater("profile", "show", "u1")

    assert "identifiers (26)" in ended.out
    assert "… and 6 more; --json gives all" in ended.out
    assert "\x1b" not in ended.out
    assert len(headwater("profile", "show", "u1", "--json").document["identifiers"]) == 26


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("nobody", "nobody: no profile has that identifier or id\n  Fix: write type:value (anony"),
        ("000-0", "000-0: a blocked value (rule '[0-]*'): it identifies nobody"),
        ("user_id:anonymous", "a blocked value (rule 'anonymous')"),
        (
            "vain@x",
            f"identified nobody\n  override (a row of identity_overrides.csv takes it out)"
            f", first in identify m3 of profile {P1}",
        ),
    ],
)
def test_an_id_of_nobody_says_why(headwater, shared, asked, told):
    ended = headwater("profile", "show", asked)

    assert (ended.code, ended.out) == (1, "")
    assert told in ended.err


def test_a_value_of_two_profiles_is_to_be_named_with_its_type(headwater, workspace):
    identity = Identity().event("user_id:same").event("anonymous_id:same")
    publish(workspace, identity.event("user_id:a:1").event("a:1"))

    ended = headwater("profile", "show", "same")

    assert ended.code == 2
    assert "anonymous_id:same  of profile" in ended.err
    assert "user_id:same  of profile" in ended.err
    assert "Fix: write the one you mean with its type, as in anonymous_id:same" in ended.err
    found = [headwater("profile", "show", asked, "--json") for asked in ("a:1", "user_id:a:1")]
    values = [ended.document["identifiers"][0]["value"] for ended in found]
    assert values == ["1", "a:1"]  # what reads as type:value means nothing else


def test_explain_prints_the_chain(headwater, shared):
    ended = headwater("profile", "explain", "a@x", "ipad")

    assert ended.out == (
        f"one profile, {P1}: 1 hop\n  email:a@x\n"
        "    | identify m1 at 2026-03-01 00:00:01 carried both\n  anonymous_id:ipad\n"
    )


def test_explain_prints_why_there_is_none(headwater, shared):
    ended = headwater("profile", "explain", "u2", "ipad")

    assert ended.code == 0
    assert ended.out.splitlines()[-1] == (
        "identify m2 at 2026-03-01 00:00:02 carried both, but anonymous_id:ipad did not count: "
        "limit (the profile would have had too many of a type)"
    )
    found = headwater("profile", "explain", "u2", "ipad", "--json").document
    assert (found["is_one_profile"], found["hops"]) == (False, [])


@pytest.mark.parametrize(
    ("command", "row"),
    [
        (("split", "u1"), "split,user_id,u1,,"),
        (("block", "email:A@x"), "block_identifier,email,a@x,,"),
        (("block", "ipad", "user_id:u1"), "block_link,anonymous_id,ipad,user_id,u1"),
        (("merge", "u1", "u2"), "merge,user_id,u1,user_id,u2"),
    ],
)
def test_a_correction_is_a_row_that_undo_removes(headwater, workspace, shared, command, row):
    path = overrides_file(workspace)
    before = path.read_text()

    added = headwater("profile", *command, "--note", "by request")

    assert added.out.startswith("added: ")
    assert "it holds from the next `headwater transform` on" in added.out
    [written] = path.read_text().splitlines()[1:]
    assert written.startswith(row)
    assert written.endswith("Z,by request")
    again = headwater("profile", *command)
    assert (again.code, again.out.partition(":")[0]) == (0, "there already")
    [listed] = headwater("profile", "overrides", "--json").document
    assert (listed["state"], listed["note"]) == ("from the next transform on", "by request")
    assert "by request" in headwater("profile", "show", "u1").out
    removed = headwater("profile", *command, "--undo")
    assert removed.out.startswith("removed: ")
    assert path.read_text() == before
    gone = headwater("profile", *command, "--undo")
    assert gone.code == 1
    assert "`headwater profile overrides` lists" in gone.err


def test_an_identifier_that_was_not_seen_wants_its_type_and_is_warned_of(headwater, shared):
    refused = headwater("profile", "split", "later")
    ended = headwater("profile", "split", "user_id:later")

    assert refused.code == 2
    assert "no event carried it so far, so its type is not known" in refused.err
    assert "warning: user_id:later: not seen yet" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("split", P1), 2, "a profile's id; wanted one of its identifiers"),
        (("merge", "u1", "user_id:u1"), 2, "named twice"),
        (("block", "u1", "u2", "ipad"), 2, "wanted one identifier, or two"),
        (("split", "u1", "--undo", "--note", "x"), 2, "--undo removes it"),
        (("split", "user_id:a\nb"), 2, "can't stand in a seed of dbt"),
    ],
)
def test_what_is_no_correction_is_refused(headwater, workspace, shared, arguments, code, told):
    before = overrides_file(workspace).read_bytes()

    ended = headwater("profile", *arguments)

    assert (ended.code, ended.out) == (code, "")
    assert told in ended.err
    assert overrides_file(workspace).read_bytes() == before


def test_before_the_first_transform_it_says_what_to_run(headwater, workspace):
    ended = headwater("profile", "show", "u1")

    assert ended.code == 2
    assert "Fix: run `headwater transform` first" in ended.err


def test_transform_refuses_a_malformed_row_before_dbt_starts(headwater, workspace):
    with overrides_file(workspace).open("a") as file:
        file.write("splitt,user_id,u1,,,,\n")

    ended = headwater("transform")

    assert ended.code == 2
    assert "identity_overrides.csv: line 2: kind: found 'splitt'; wanted one of" in ended.err
