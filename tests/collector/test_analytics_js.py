"""Scripts out of an installed package, and nothing else out of anywhere."""

import json
import os

import pytest

from loader.collector.analytics_js import AnalyticsJs

SNIPPET = "/analytics.js/v1/wk_web/analytics.min.js"
BUNDLES = "/analytics-next/bundles/"
HASHED = "407.bundle.61efa1acb302134c434b.js"


@pytest.fixture
def package(tmp_path):
    """As npm installs it: scripts, their source maps and their gzipped twins."""
    scripts = tmp_path / "analytics-next" / "dist" / "umd"
    scripts.mkdir(parents=True)
    for name in ("standalone.js", "index.js", HASHED, f"{HASHED}.map", f"{HASHED}.gz"):
        (scripts / name).write_text(f"// {name}")
    (tmp_path / "analytics-next" / "package.json").write_text("{}")
    return tmp_path / "analytics-next"


def scripts(package):
    return package / "dist" / "umd"


def test_the_snippet_gets_the_standalone_script(package):
    answer = AnalyticsJs(package).answer(SNIPPET)

    assert (answer.status, answer.body) == (200, b"// standalone.js")
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_a_chunk_whose_name_tells_its_content_is_kept_for_good(package):
    answer = AnalyticsJs(package).answer(BUNDLES + HASHED)

    assert (answer.status, answer.body) == (200, f"// {HASHED}".encode())
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_who_has_a_script_is_told_that_it_still_holds_until_it_changes(package):
    served = AnalyticsJs(package)
    tag = served.answer(SNIPPET).headers["ETag"]

    kept = served.answer(SNIPPET, f'W/"other", {tag}')
    (scripts(package) / "standalone.js").write_text("// a newer version")
    newer = served.answer(SNIPPET, tag)

    assert (kept.status, kept.body, kept.headers["ETag"]) == (304, b"", tag)
    assert (newer.status, newer.body) == (200, b"// a newer version")
    assert newer.headers["ETag"] != tag


def test_a_script_is_read_once(package):
    served = AnalyticsJs(package)

    assert served.answer(SNIPPET) is served.answer(SNIPPET)


def test_no_more_than_64_scripts_are_held_in_memory(package):
    for number in range(100):
        (scripts(package) / f"{number}.js").write_text("//")
    served = AnalyticsJs(package)

    answers = [served.answer(f"{BUNDLES}{number}.js") for number in range(100)]

    assert {answer.status for answer in answers} == {200}
    assert len(served._cache) <= 64


def test_without_a_configured_package_the_answer_says_what_to_configure():
    answer = AnalyticsJs(None).answer(SNIPPET)

    found = json.loads(answer.body)
    assert (answer.status, found["code"]) == (404, "analytics_js_not_configured")
    assert "collector.analytics_js" in found["message"]


@pytest.mark.parametrize("name", ["none.js", "x" * 180 + ".js"])
def test_what_the_package_lacks_is_not_found(package, name):
    answer = AnalyticsJs(package).answer(BUNDLES + name)

    assert (answer.status, json.loads(answer.body)["code"]) == (404, "no_such_script")


def test_a_folder_that_is_not_there_is_not_found(tmp_path):
    assert AnalyticsJs(tmp_path / "nowhere").answer(SNIPPET).status == 404


@pytest.mark.parametrize(
    "path",
    [
        BUNDLES + "../../package.json",
        BUNDLES + "../umd/index.js",
        BUNDLES + "..%2Findex.js",
        BUNDLES + "..\\index.js",
        BUNDLES + ".hidden.js",
        BUNDLES + "a/index.js",
        BUNDLES + "index.js\0",
        BUNDLES + "index.js\n",
        BUNDLES + f"{HASHED}.map",
        BUNDLES + f"{HASHED}.gz",
        BUNDLES + "x" * 300 + ".js",
        BUNDLES,
        "/analytics.js/v1/a/b/analytics.min.js",
        "/analytics.js/v1//analytics.min.js",
        "/v1/track",
    ],
)
def test_other_addresses_are_nobodys(package, path):
    assert AnalyticsJs(package).answer(path) is None


def test_a_link_out_of_the_package_is_not_followed(package, tmp_path):
    (tmp_path / "secret.js").write_text("secret")
    (scripts(package) / "link.js").symlink_to(tmp_path / "secret.js")
    (scripts(package) / "up.js").symlink_to(package / "package.json")
    (scripts(package) / "loop.js").symlink_to(scripts(package) / "loop.js")
    (scripts(package) / "folder.js").mkdir()

    served = AnalyticsJs(package)

    for name in ("link.js", "up.js", "loop.js", "folder.js"):
        assert served.answer(BUNDLES + name).status == 404


def test_a_package_that_is_itself_a_link_is_served(package, tmp_path):
    link = tmp_path / "node_modules"
    link.symlink_to(package)

    assert AnalyticsJs(link).answer(SNIPPET).status == 200


def test_a_huge_file_is_not_read_into_memory(package):
    with (scripts(package) / "huge.js").open("wb") as file:
        os.truncate(file.fileno(), 5 * 1024 * 1024)

    assert AnalyticsJs(package).answer(BUNDLES + "huge.js").status == 404
