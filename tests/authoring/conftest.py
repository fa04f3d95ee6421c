import json

import pytest


@pytest.fixture
def folder(tmp_path):
    """A folder of contracts and nothing else."""
    made = tmp_path / "schemas"
    (made / "track").mkdir(parents=True)
    return made


@pytest.fixture
def write(folder):
    """Writes one contract; text that is no object is written as it is."""

    def write_contract(found, name="track/checked.json"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found if isinstance(found, str) else json.dumps(found))
        return path

    return write_contract
