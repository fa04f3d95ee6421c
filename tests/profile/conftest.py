import pytest

from loader.scaffold import create_workspace


@pytest.fixture
def workspace(tmp_path):
    return create_workspace(tmp_path / "ws")
