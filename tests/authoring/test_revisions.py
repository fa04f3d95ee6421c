import json
import subprocess

import pytest

from loader.authoring import read_plan
from loader.errors import ConfigError

AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@example.com"]


def git(folder, *arguments):
    command = ["git", "-C", str(folder), *AUTHOR, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository whose schemas/ grew an event in its second commit, and another one since."""
    root = tmp_path / "repository"
    (root / "shop" / "schemas" / "track").mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    for name in ("A", "B", "C"):
        path = root / "shop" / "schemas" / "track" / f"{name}.json"
        path.write_text(json.dumps({"name": name, "rules": {}}))
        if name != "C":
            git(root, "add", ".")
            git(root, "commit", "--quiet", "--message", name)
    return root


def names(contracts):
    return [contract.name for contract in contracts]


def test_a_commit_has_the_contracts_of_then(repository):
    schemas = repository / "shop" / "schemas"

    assert names(read_plan("HEAD~1", schemas)) == ["A"]
    assert names(read_plan("main", schemas)) == ["A", "B"]
    assert names(read_plan(git(repository, "rev-parse", "HEAD"), schemas)) == ["A", "B"]
    assert names(read_plan(str(schemas), None)) == ["A", "B", "C"]


def test_a_tag_is_a_commit_too(repository):
    git(repository, "tag", "--annotate", "v1", "--message", "v1", "HEAD~1")

    assert names(read_plan("v1", repository / "shop" / "schemas")) == ["A"]


def test_a_workspaces_folder_stands_for_its_schemas(repository):
    assert names(read_plan(str(repository / "shop"), None)) == ["A", "B", "C"]


def test_schemas_at_the_root_of_a_repository_are_found(repository):
    inner = repository / "shop" / "schemas"
    git(inner, "init", "--quiet", "--initial-branch", "main")
    git(inner, "add", ".")
    git(inner, "commit", "--quiet", "--message", "all")

    assert names(read_plan("HEAD", inner)) == ["A", "B", "C"]


def test_a_commit_before_there_were_contracts_has_none(repository):
    new = repository / "elsewhere"
    new.mkdir()

    assert read_plan("HEAD", new) == []


@pytest.mark.parametrize("name", ["nope", "HEAD~99", "HEAD:shop", "--help", ""])
def test_what_git_does_not_know_as_a_commit_is_an_error(repository, name):
    with pytest.raises(ConfigError, match=r"neither a folder nor a commit|fatal"):
        read_plan(name, repository / "shop" / "schemas")


def test_outside_of_a_repository_only_folders_will_do(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "schemas").mkdir()

    with pytest.raises(ConfigError, match="not a git repository"):
        read_plan("main", tmp_path / "schemas")
    with pytest.raises(ConfigError, match="no workspace here"):
        read_plan("main", None)


def test_a_broken_contract_is_named_with_its_commit(repository):
    schemas = repository / "shop" / "schemas"
    (schemas / "track" / "A.json").write_text("{")
    git(repository, "commit", "--quiet", "--all", "--message", "broken")

    with pytest.raises(ConfigError, match=r"^HEAD:schemas/track/A\.json: not JSON"):
        read_plan("HEAD", schemas)


def test_links_are_passed_over(repository):
    schemas = repository / "shop" / "schemas"
    (schemas / "track" / "link.json").symlink_to("/etc/passwd")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "link")

    assert names(read_plan("HEAD", schemas)) == ["A", "B", "C"]
