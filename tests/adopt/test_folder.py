"""The folder is written whole, or not at all; nothing is ever overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.adopt.folder import check_free, find_schemas, write_whole
from reconciler.errors import UsageError

FILES = {"scope.yaml": "kind: Scope\n", "protections/web.yaml": "kind: Protection\n"}


@pytest.mark.parametrize("there", [False, True], ids=["not there yet", "empty"])
def test_a_free_folder_gets_every_file(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "deep" / "policies"
    if there:
        folder.mkdir(parents=True)
    write_whole(folder, FILES)
    assert {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.yaml")} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["policies"], "nothing is left beside it"


def test_files_that_are_there_are_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"is not empty: mine\.yaml"):
        write_whole(tmp_path, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "policies"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is no folder"):
        check_free(path)
    assert path.read_text() == "mine"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(tmp_path / "policies", {"scope.yaml": "x", "a/b.yaml": "x", "a": "a folder is in the way"})
    assert list(tmp_path.iterdir()) == []


def test_schemas_beside_the_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "vault.schema.json").write_text("{}")
    assert find_schemas(tmp_path / "policies") == {"vault.schema.json": "../schemas/vault.schema.json"}
    assert find_schemas(tmp_path / "other" / "policies") == {}
