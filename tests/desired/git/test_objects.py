"""Repositories that are not as they should be, or not as others: each is read, or told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dulwich import porcelain

from reconciler.desired.git.repository import Repository
from tests.desired.history import CHANGED, HERE, POLICIES, History, around, refused

PROMISOR = '[remote "origin"]\n\turl = https://git.example/estate\n\tpromisor = true\n'


def test_a_linked_work_tree(history: History, tmp_path: Path) -> None:
    first = history.commit(POLICIES)
    history.commit(CHANGED)
    linked = tmp_path / "linked"
    porcelain.worktree_add(str(history.root), str(linked), branch=b"edit", commit=first.encode())
    assert (linked / ".git").is_file()
    with around(linked / "policies") as repository:
        assert (repository.root, repository.head) == (linked, first)
        assert repository.base_of("main") == first
        assert not repository.dirty()


def test_a_partial_clone(history: History) -> None:
    first = history.commit(POLICIES)
    history.commit(CHANGED)
    config = history.root / ".git" / "config"
    text = config.read_text().replace("repositoryformatversion = 0", "repositoryformatversion = 1")
    config.write_text(text + "[extensions]\n\tpartialClone = origin\n\tpreciousObjects = true\n" + PROMISOR)
    tree = history.repo[first.encode()].tree
    lock = history.repo[tree].lookup_path(history.repo.object_store.__getitem__, b"policies/doors/lock.yml")[1]
    history.lose(lock)
    with around() as repository:
        assert repository.base_of("main~1") == first
        error = refused(lambda: repository.at(first))
    assert error.message.startswith(f"policies/doors/lock.yml at commit {first[:10]} cannot be read")
    assert error.why == f"object {lock.decode()[:10]} is missing, and this is a partial clone"
    assert error.advice.startswith("let git fetch it: git archive REF")


def test_a_tree_that_is_missing(history: History) -> None:
    first = history.commit(POLICIES)
    history.commit(CHANGED)
    history.lose(history.repo[first.encode()].tree)
    with around() as repository:
        error = refused(lambda: repository.at(first))
        assert repository.count_since(first) is None
    assert error.message == f"commit {first[:10]} cannot be read: an object is not in this clone"


@pytest.mark.parametrize("keep", [0, 5, 40])
def test_an_object_that_is_cut_off(keep: int, history: History) -> None:
    first = history.commit(POLICIES)
    path = history.root / ".git" / "objects" / first[:2] / first[2:]
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:keep])
    with around() as repository:
        error = refused(lambda: repository.at(first))
    assert error.message == f"commit {first[:10]} cannot be read: the repository is damaged"
    assert error.why
    assert "git fsck" in error.advice


def test_a_head_that_is_cut_off(history: History) -> None:
    history.commit(POLICIES)
    (history.root / ".git" / "HEAD").write_text("ref: ")
    assert refused(lambda: Repository.around([HERE])).message == "HEAD cannot be read: the repository is damaged"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[core]\n\trepositoryformatversion = 7\n", "its format is not known"),
        ("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnovel = 1\n", "its format is not known"),
        ("[core\n", ""),
    ],
)
def test_a_repository_that_nobody_here_knows(content: str, why: str, history: History) -> None:
    history.commit(POLICIES)
    (history.root / ".git" / "config").write_text(content)
    error = refused(lambda: Repository.around([HERE]))
    assert error.message == f"the git repository {history.root} cannot be read"
    assert error.why.startswith(why)
    assert error.why


def test_a_pointer_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: ../gone/.git/worktrees/estate\n")
    error = refused(lambda: Repository.around([tmp_path / "policies"]))
    assert error.why == "its .git leads to no repository"


def test_nothing_is_ever_written(history: History) -> None:
    first = history.commit(POLICIES)
    history.commit(CHANGED)

    def state() -> dict[str, tuple[int, bytes]]:
        files = [path for path in history.root.rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    before = state()
    with around() as repository:
        assert repository.base_of("main~1") == first
        assert repository.at(first).files
        assert not repository.dirty()
        assert repository.count_since(first) == 1
    assert state() == before
