"""identity_overrides.csv: what is written, kept and refused."""

import csv
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loader.config import Workspace
from loader.errors import ConfigError
from loader.overrides import (
    Identifier,
    Override,
    add_override,
    overrides_file,
    read_overrides,
    remove_override,
)
from tests.conftest import make_workspace

HEADER = "kind,type,value,other_type,other_value,created_at,note"
A, B = Identifier("user_id", "a"), Identifier("email", "b@x")


@pytest.fixture
def workspace(tmp_path):
    created = make_workspace(tmp_path / "ws")
    (created.root / "dbt_project.yml").write_text("seed-paths: [dbt_project/seeds]\n")
    return created


@pytest.fixture
def write(workspace):
    def write_lines(*lines, ends="\n"):
        path = overrides_file(workspace)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(line + ends for line in (HEADER, *lines)).encode())
        return path

    return write_lines


def test_a_row_is_appended_once_and_removed_again(workspace, write):
    path = write('split,user_id,"x, ""y""",,,yesterday,by hand')
    before = path.read_bytes()
    merge = Override(kind="merge", identifier=A, other=B, note="asked, twice")

    assert add_override(workspace, merge) is None
    assert add_override(workspace, Override(kind="merge", identifier=B, other=A)) == merge
    assert path.read_bytes() == before + b'merge,user_id,a,email,b@x,,"asked, twice"\n'

    remove_override(workspace, Override(kind="merge", identifier=B, other=A))
    assert path.read_bytes() == before


def test_the_first_row_makes_the_file(workspace):
    add_override(workspace, Override(kind="split", identifier=A))

    path = workspace.root / "dbt_project/seeds/identity_overrides.csv"
    assert path.read_text() == f"{HEADER}\nsplit,user_id,a,,,,\n"


def test_the_file_is_found_by_the_seed_paths_of_the_project(workspace, write):
    write()
    (workspace.root / "dbt_project.yml").write_text("seed-paths: [mine, dbt_project/seeds]\n")
    assert overrides_file(workspace).parent == workspace.root / "dbt_project/seeds"
    second = workspace.root / "mine/deep/identity_overrides.csv"
    second.parent.mkdir(parents=True)
    second.write_text(HEADER)

    with pytest.raises(ConfigError, match="there is another one"):
        overrides_file(workspace)


def test_a_file_from_a_spreadsheet_is_read(workspace, write):
    path = write("split,user_id,a,,,,", ends="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert read_overrides(workspace) == [Override(kind="split", identifier=A)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "found an empty line; wanted a row"),
        ("split,user_id,a", "found 3 fields; wanted 7"),
        ("join,user_id,a,,,,", "kind: found 'join'; wanted one of block_identifier, block_link,"),
        ("split,,a,,,,", "type: found nothing; wanted a value"),
        ("split,user_id,a,email,b@x,,", "found 'email:b@x' as the other identifier; split wanted"),
        ("merge,user_id,a,,,,", "other_type: found nothing"),
        ("merge,user_id,a,user_id,a,,", "found user_id:a twice"),
        ('split,user_id,"a,,,,', "wanted one row of CSV, which holds no line break"),
        ('split,user_id,"a"b,,,,', "wanted one row of CSV"),
        ("split,user_id,a\tb,,,,", "wanted no control characters"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(workspace, write, line, told):
    path = write("split,user_id,fine,,,,", line, "split,user_id,fine too,,,,")
    before = path.read_bytes()

    for attempt in (
        lambda: read_overrides(workspace),
        lambda: add_override(workspace, Override(kind="split", identifier=B)),
    ):
        with pytest.raises(ConfigError) as refused:
            attempt()
        assert f"{path}: line 3: " in str(refused.value)
        assert told in str(refused.value)
    assert path.read_bytes() == before


def test_another_header_is_refused(workspace, write):
    write().write_text("kind;type\n")

    with pytest.raises(ConfigError, match="line 1: found 'kind;type'; wanted 'kind,type,value"):
        read_overrides(workspace)


@pytest.mark.parametrize("value", ["a\nb", "a\x00b"])
def test_a_value_that_no_seed_can_hold_is_refused(workspace, value):
    with pytest.raises(ConfigError, match="can't stand in a seed"):
        add_override(workspace, Override(kind="split", identifier=Identifier("user_id", value)))


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)


@given(texts, texts, texts)
def test_any_text_comes_back_as_it_was(tmp_path_factory, value, other, note):
    created = Workspace(tmp_path_factory.mktemp("ws"))
    (created.root / "dbt_project.yml").write_text("seed-paths: [seeds]\n")
    override = Override(
        kind="merge",
        identifier=Identifier("user_id", value),
        other=Identifier("email", other),
        note=note,
    )

    add_override(created, override)

    assert read_overrides(created) == [override]
    with overrides_file(created).open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file))[1][2] == value


def add_ten(root, first):
    for number in range(first, first + 10):
        identifier = Identifier("user_id", f"u{number}")
        add_override(Workspace(root), Override(kind="split", identifier=identifier))


def test_two_at_once_lose_no_row(workspace):
    with ThreadPoolExecutor(2) as pool:  # the lock is one of open files, so threads contend too
        list(pool.map(add_ten, [workspace.root] * 2, [0, 10]))

    values = [row.identifier.value for row in read_overrides(workspace)]
    assert sorted(values) == sorted(f"u{number}" for number in range(20))
