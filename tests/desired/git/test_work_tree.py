"""Which repository the policies lie in."""

from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.repo import Repo

from reconciler.desired.git.revision import RevisionError
from reconciler.desired.git.work_tree import WorkTree, find_work_tree
from tests.desired.history import History


def found(*paths: Path) -> tuple[Path, list[tuple[str, ...]]] | None:
    tree = find_work_tree(paths)
    return (tree.root, [place.names for place in tree.places]) if tree else None


def test_inside_and_outside(history: History, tmp_path: Path) -> None:
    root = history.root
    assert found(Path("policies")) == (root, [("policies",)])
    assert found(Path(), Path("a/b"), root / "c.yaml") == (root, [(), ("a", "b"), ("c.yaml",)])
    assert found(Path("policies/../other")) == (root, [("other",)])
    assert found(tmp_path) is None
    assert found(Path("../elsewhere")) is None
    assert found() is None
    assert found(Path("x" * 300)) == (root, [("x" * 300,)])


def test_an_empty_folder_named_git_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "policies" / ".git").mkdir(parents=True)
    assert found(tmp_path / "policies") is None


def test_a_repository_within_another_is_its_own(history: History) -> None:
    Repo.init(history.root / "policies", mkdir=True)
    assert found(Path("policies")) == (history.root / "policies", [()])


def test_links_inside_stay_as_written_and_links_out_are_followed(history: History, another_history: History) -> None:
    (history.root / "prod").mkdir()
    (history.root / "policies").symlink_to("prod")
    (history.root / "shared").symlink_to(another_history.root / "policies")
    (history.root / "loop").symlink_to("loop")
    assert found(Path("policies/a.yaml")) == (history.root, [("policies", "a.yaml")])
    assert found(Path("shared")) == (another_history.root, [("policies",)])
    assert found(Path("loop")) == (history.root, [("loop",)])


def test_a_repository_reached_by_a_link(history: History, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(history.root)
    assert found(tmp_path / "here" / "policies") == (tmp_path / "here", [("policies",)])
    assert found(tmp_path / "here" / "policies", Path("more")) == (tmp_path / "here", [("policies",), ("more",)])


def test_policies_of_several_repositories(history: History, another_history: History, tmp_path: Path) -> None:
    with pytest.raises(RevisionError) as caught:
        find_work_tree([Path("policies"), another_history.root / "policies", tmp_path / "loose"])
    assert caught.value.message == "the policies lie in more than one git repository, so no commit says what they were"
    other = another_history.root
    assert caught.value.why == f"policies in {history.root}, {other}/policies in {other}, {tmp_path}/loose in none"
    assert caught.value.advice == "keep them in one, or do without: --base none"


def test_a_bare_repository(tmp_path: Path) -> None:
    Repo.init_bare(tmp_path / "estate.git", mkdir=True).close()
    with pytest.raises(RevisionError) as caught:
        find_work_tree([tmp_path / "estate.git" / "policies"])
    assert caught.value.message == f"{tmp_path}/estate.git is a git repository without a work tree"


def test_paths_are_shown_as_one_would_write_them_there(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = WorkTree(history.root, ())
    (history.root / "a").mkdir()
    for stand, shown in ((history.root, "a/b.yaml"), (history.root / "a", "b.yaml"), (tmp_path, "a/b.yaml")):
        monkeypatch.chdir(stand)
        assert tree.shown(("a", "b.yaml")).as_posix() == shown
