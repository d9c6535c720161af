"""The tree of a commit is searched as the disk is: the same files, by the same names, in the same order."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.git.repository import Repository
from reconciler.desired.git.revision import RevisionError
from reconciler.desired.locate import MOST_FILES, display, locate
from tests.desired.history import History


def at(commit: str, *paths: str) -> dict[str, bytes]:
    repository = Repository.around([Path(path) for path in paths or ("policies",)])
    assert repository
    with repository:
        return {file.name: file.content for file in repository.at(commit).files}


def refused(commit: str, *paths: str) -> RevisionError:
    with pytest.raises(RevisionError) as caught:
        at(commit, *paths)
    return caught.value


def on_disk(*paths: str) -> dict[str, bytes]:
    return {display(file): file.read_bytes() for file in locate([Path(path) for path in paths or ("policies",)]).files}


STRANGE = {
    "policies/b.yaml": "b",
    "policies/B.YML": "B",
    "policies/a-b/x.yaml": "1",
    "policies/a/x.yaml": "2",
    "policies/a.yaml": "3",
    "policies/a/b/c/d/x.yaml": "4",
    "policies/a b/größe 💾.yaml": "5",
    "policies/.git-ignored/x.yaml": "6",
    "policies/.x.yaml": "7",
    "policies/x.yaml.bak": "8",
    "policies/x.json": "9",
    "policies/yaml": "10",
    "policies/empty.yaml": "",
    "other/x.yaml": "11",
}


def test_the_same_files_as_on_disk_in_the_same_order(history: History) -> None:
    commit = history.commit(STRANGE)
    for paths in (
        ["policies"],
        ["policies/a", "policies"],
        ["."],
        ["policies/x.json", "other"],
        ["policies/a/../b.yaml"],
    ):
        assert list(at(commit, *paths).items()) == list(on_disk(*paths).items())
    assert len(on_disk()) == 8


def test_links_inside_of_the_repository_are_followed(history: History) -> None:
    commit = history.commit(
        {
            "shared/base.yaml": "base",
            "shared/more/x.yaml": "x",
            "policies/own.yaml": "own",
            "policies/linked.yaml": history.link("../shared/base.yaml"),
            "policies/folder": history.link("../shared/more"),
            "policies/again": history.link("folder"),
            "policies/absolute.yaml": history.link(f"{history.root}/shared/base.yaml"),
            "policies/name": history.link("own.yaml"),
            "policies/back": history.link(".."),
            "policies/self": history.link("self"),
            "policies/dangling": history.link("nowhere"),
            "deep": history.link("policies/folder"),
        }
    )
    kept = on_disk()
    assert at(commit) == kept
    assert set(kept.values()) == {b"own", b"base", b"x"}
    assert at(commit, "deep") == on_disk("deep") == {"deep/x.yaml": b"x"}
    assert at(commit, "deep/x.yaml", "policies/linked.yaml") == on_disk("deep/x.yaml", "policies/linked.yaml")


FOLDERS = st.lists(st.sampled_from(["policies", "a", "b.c", "x.yaml", "y.yml", ".h"]), min_size=1, max_size=4)
TARGETS = FOLDERS.map("/".join)


@settings(max_examples=40, deadline=None)
@given(
    files=st.lists(FOLDERS, max_size=6),
    links=st.lists(st.tuples(FOLDERS, TARGETS), max_size=4),
    paths=st.lists(TARGETS, min_size=1, max_size=3),
)
def test_no_tree_is_searched_in_another_way_than_the_disk(
    files: list[list[str]],
    links: list[tuple[list[str], str]],
    paths: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    history = History(tmp_path_factory.mktemp("tree") / "estate")
    content: dict[str, Any] = {"policies/own.yaml": "own"}
    for number, names in enumerate(files):
        content["/".join(names)] = str(number)
    for names, target in links:
        content["/".join(names)] = history.link(f"{history.root}/{target}")
    folders = {"/".join(parent.parts) for name in content for parent in Path(name).parents}
    commit = history.commit({name: value for name, value in content.items() if name not in folders})
    with contextlib.chdir(history.root):
        kept = on_disk("policies", *paths)
        assert list(at(commit, "policies", *paths).items()) == list(kept.items())


def test_what_is_no_file_is_passed_over(history: History) -> None:
    """On disk each of these is a mistake that `validate` tells; the base is read as far as it goes."""
    commit = history.commit(
        {
            "policies/own.yaml": "own",
            "policies/gone.yaml": history.link("nowhere"),
            "policies/loop.yaml": history.link("loop.yaml"),
            "policies/folder.yaml/x.yaml": "x",
        }
    )
    assert at(commit) == on_disk() == {"policies/own.yaml": b"own"}


def test_a_link_is_as_it_was_then(history: History) -> None:
    history.commit({"v1/x.yaml": "1", "v2/x.yaml": "2"})
    before = history.commit({"policies": history.link("v1")})
    history.commit({"policies": history.link("v2")})
    assert at(before) == {"policies/x.yaml": b"1"}
    assert at(history.head) == {"policies/x.yaml": b"2"}


@pytest.mark.parametrize("link", ["policies/out.yaml", "policies/out"])
def test_a_link_out_of_the_repository(link: str, history: History, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    commit = history.commit({"policies/own.yaml": "own", link: history.link("../../outside")})
    error = refused(commit)
    assert error.message == f"{link} at commit {commit[:10]} is a link out of the repository"
    assert error.why == f"what lay in {tmp_path}/outside then, git cannot tell"


def test_a_link_out_of_the_repository_that_is_no_policy(history: History, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("Not a policy.")
    commit = history.commit({"policies/own.yaml": "own", "policies/notes": history.link("../../notes")})
    assert at(commit) == on_disk() == {"policies/own.yaml": b"own"}


class TestSubmodules:
    @pytest.fixture
    def commits(self, history: History, another_history: History) -> tuple[str, str]:
        """A commit of each repository; the other is checked out below our policies, one commit further."""
        theirs = another_history.commit({"x.yaml": "1", "deep/y.yml": "2"})
        commit = history.commit({"policies/own.yaml": "own", "policies/shared": history.submodule(theirs)})
        another_history.commit({"x.yaml": "3"})
        return commit, theirs

    def test_policies_in_one_are_those_of_its_commit(
        self, commits: tuple[str, str], history: History, another_history: History
    ) -> None:
        shared = history.root / "policies" / "shared"
        (shared / ".git").write_text(f"gitdir: {another_history.root}/.git\n")
        expected = {"policies/own.yaml": b"own", "policies/shared/deep/y.yml": b"2", "policies/shared/x.yaml": b"1"}
        assert at(commits[0]) == expected

    def test_policies_that_lie_in_one_altogether_have_its_history(
        self, commits: tuple[str, str], history: History, another_history: History
    ) -> None:
        shared = history.root / "policies" / "shared"
        (shared / ".git").write_text(f"gitdir: {another_history.root}/.git\n")
        assert at(commits[1], "policies/shared") == {
            "policies/shared/deep/y.yml": b"2",
            "policies/shared/x.yaml": b"1",
        }

    def test_commits_that_move_it_are_counted(
        self, commits: tuple[str, str], history: History, another_history: History
    ) -> None:
        history.commit({"policies/shared": history.submodule(another_history.head)})
        (history.root / "policies" / "shared" / ".git").write_text(f"gitdir: {another_history.root}/.git\n")
        for path, commits_since in (("policies", 1), ("policies/own.yaml", 0)):
            repository = Repository.around([Path(path)])
            assert repository
            with repository:
                assert repository.count_since(commits[0]) == commits_since

    def test_one_that_is_not_checked_out(self, commits: tuple[str, str]) -> None:
        error = refused(commits[0])
        assert error.message == "policies/shared is a submodule that is not checked out"
        assert error.advice.startswith("git submodule update --init")

    def test_one_whose_commit_is_not_there(
        self, commits: tuple[str, str], history: History, another_history: History
    ) -> None:
        (history.root / "policies" / "shared" / ".git").write_text(f"gitdir: {another_history.root}/.git\n")
        another_history.lose(commits[1].encode())
        assert refused(commits[0]).message == f"commit {commits[1][:10]} cannot be read: an object is not in this clone"

    def test_elsewhere_it_is_no_matter(self, history: History) -> None:
        commit = history.commit({"policies/own.yaml": "own", "vendor": history.submodule("0" * 40)})
        assert at(commit) == {"policies/own.yaml": b"own"}
        assert at(commit, "later") == {}


@pytest.mark.parametrize(
    ("content", "keeper"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS"),
        (b"\0GITCRYPT\0\x01\x02", "git-crypt"),
    ],
)
def test_what_git_does_not_hold_as_text(content: bytes, keeper: str, history: History) -> None:
    commit = history.commit({"policies/own.yaml": content})
    error = refused(commit)
    assert error.message == f"policies/own.yaml at commit {commit[:10]} is no YAML"
    assert error.why == f"git holds what {keeper} made of it"


def test_more_files_than_are_read_at_once(history: History) -> None:
    one, mode = history.link("x")
    commit = history.commit(
        {f"policies/{number}.yaml": (one, mode & 0o777 | 0o100644) for number in range(MOST_FILES + 1)}
    )
    assert refused(commit).message == f"5001 files at commit {commit[:10]} are more than the 5000 that are read at once"
