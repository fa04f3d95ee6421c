"""What `npm ci` installs is fixed, wherever it is fetched from."""

import json

from tests.sdks.needs import HERE


def test_the_lock_names_versions_and_hashes_and_no_host():
    locked = json.loads((HERE / "package-lock.json").read_text())["packages"]
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]

    installed = {path: found for path, found in locked.items() if path}

    assert all("integrity" in found for found in installed.values())
    assert not any("resolved" in found for found in installed.values())
    assert {name: installed[f"node_modules/{name}"]["version"] for name in wanted} == wanted
