def test_it_says_what_to_type_next(headwater, tmp_path):
    ended = headwater("init", tmp_path / "new")

    assert ended.code == 0
    assert "headwater load events.ndjson" in ended.out


def test_the_new_workspace_has_empty_raw_tables(headwater, tmp_path):
    headwater("init", tmp_path / "new")

    assert (tmp_path / "new" / ".headwater" / "warehouse.duckdb").is_file()


def test_a_second_init_in_the_same_place_is_refused(headwater, tmp_path):
    headwater("init", tmp_path / "new")

    ended = headwater("init", tmp_path / "new")

    assert (ended.code, ended.out) == (2, "")
    assert "there is something here already" in ended.err
