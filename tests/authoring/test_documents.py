import json

import pytest

from loader.authoring import layout, write_contracts
from loader.errors import ConfigError
from tests.conftest import ROOT


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").rglob("*.json")), ids=lambda p: p.name)
def test_a_document_is_laid_out_as_the_repositorys_are(path):
    text = path.read_text(encoding="utf-8")

    laid_out = layout(json.loads(text)) + "\n"

    assert json.loads(laid_out) == json.loads(text)
    assert laid_out == text


@pytest.mark.parametrize(
    "value", [{}, [], "ö", {"a": []}, {"a": [{}, {"b": {}}]}, [[1], [2]], None]
)
def test_a_layout_is_the_same_value(value):
    assert json.loads(layout(value)) == value


def test_contracts_are_written_to_their_tables_file(tmp_path):
    written = write_contracts(tmp_path / "new", {"Заказ оформлен": {"rules": {}}})

    assert [path.relative_to(tmp_path) for path in written] == [
        (tmp_path / "new/track/zakaz_oformlen.json").relative_to(tmp_path)
    ]
    assert json.loads(written[0].read_text()) == {"rules": {}}


@pytest.mark.parametrize("name", ["track/a.json", "track/other.json"])
def test_a_contract_that_is_there_is_left_alone_and_nothing_is_written(folder, write, name):
    path = write({"name": "A", "rules": {}}, name)
    before = path.read_text()

    with pytest.raises(ConfigError, match="already; nothing was written"):
        write_contracts(folder, {"B": {"name": "B", "rules": {}}, "a": {"name": "a", "rules": {}}})

    assert path.read_text() == before
    assert list(folder.rglob("*.*")) == [path]
