from pathlib import Path

import pytest

from loader.config import Workspace
from tests.sync.place import Place
from tests.twin.receiver import serving


@pytest.fixture
def place(tmp_path: Path):
    with serving() as receiver:
        place = Place(Workspace(tmp_path), receiver)
        place.configure(users={"model": "users", "key": {"email": "email"}})
        yield place
