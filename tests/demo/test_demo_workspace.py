"""The demo's workspace replaces an earlier demo's, and never anything else."""

import pytest

from loader.config import open_workspace
from loader.contracts import read_contracts
from loader.demo.workspace import GUIDE_EVENTS, make_workspace
from loader.errors import ConfigError


def test_the_workspace_has_the_shops_contracts_syncs_and_the_guides_events(tmp_path):
    workspace = make_workspace(tmp_path / "demo")

    tables = {contract.table for contract in read_contracts(workspace.schemas)}
    assert {"order_completed", "subscription_started", "product_viewed", "identifies"} <= tables
    assert set(open_workspace(workspace.root).config.syncs) == {
        "users_to_receiver",
        "big_spenders_to_receiver",
    }
    assert len((workspace.root / GUIDE_EVENTS).read_text().splitlines()) == 6


def test_an_earlier_demo_is_replaced(tmp_path):
    earlier = make_workspace(tmp_path / "demo")
    (earlier.root / "notes.txt").write_text("left by somebody")
    (earlier.home / "lake").mkdir()

    workspace = make_workspace(tmp_path / "demo")

    assert not (workspace.root / "notes.txt").exists()
    assert not (workspace.home / "lake").exists()
    assert (workspace.root / "headwater.yml").is_file()


def test_a_folder_with_anything_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(ConfigError):
        make_workspace(tmp_path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]
