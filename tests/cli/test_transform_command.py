import pytest


@pytest.mark.parametrize("moment", ["yesterday", "2025-03-04T10:00:00"])  # the second has no zone
def test_a_moment_that_is_none_is_wrong_usage(headwater, workspace, moment):
    ended = headwater("transform", "--as-of", moment)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: ")


def test_without_a_dbt_project_it_says_where_to_take_one(headwater, workspace):
    (workspace.root / "dbt_project.yml").unlink()

    ended = headwater("transform")

    assert ended.code == 2
    assert "there is no dbt project to build" in ended.err
    assert "headwater init DIR" in ended.err
