"""Git repositories for tests, without git."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from dulwich.index import commit_tree
from dulwich.object_store import iter_tree_contents
from dulwich.objects import S_IFGITLINK, Blob, Commit, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from reconciler.desired.git.repository import Repository
from reconciler.desired.git.revision import RevisionError

HERE = Path("policies")
SCOPE = (
    "apiVersion: reconciler/v1\nkind: Scope\nname: shop\nsubscriptions: {prod: 11111111-1111-1111-1111-111111111111}\n"
)
LOCK = "apiVersion: reconciler/v1\nkind: Lock\nname: base\nstrength: 2\n"
POLICIES = {"policies/scope.yaml": SCOPE, "policies/doors/lock.yml": LOCK, "README.md": "An estate."}
CHANGED = {"policies/doors/lock.yml": LOCK.replace("2", "3")}


def around(*paths: Path) -> Repository:
    found = Repository.around(paths or (HERE,))
    assert found
    return found


def refused(ask: Callable[[], object]) -> RevisionError:
    with pytest.raises(RevisionError) as caught:
        ask()
    return caught.value


class History:
    """A git repository made commit by commit, straight into its objects: no git binary, no settings of this machine."""

    HEAD = Ref(b"HEAD")

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True)
        self.root = root
        self.repo = Repo.init(root, default_branch=b"main")
        self._clock = 1_700_000_000

    @property
    def head(self) -> str:
        found = self.repo.refs.follow(self.HEAD)[1]
        return found.decode() if found else ""

    def commit(self, changes: Mapping[str, Any], *others: str, onto: str | None = None) -> str:
        """What is checked out (or `onto`, where "" begins anew) with `changes` (None: removed), checked out. `others`
        are more parents, as of a merge."""
        first = self.head if onto is None else onto
        files = self._files(first) if first else {}
        for name, content in changes.items():
            files.pop(name, None)
            if content is not None:
                files[name] = content if isinstance(content, tuple) else self._blob(content)
        store = self.repo.object_store
        tree = commit_tree(store, [(name.encode(), found, mode) for name, (found, mode) in files.items()])
        made = self.make(tree, [first, *others] if first else list(others))
        self.repo.refs[self.HEAD] = made.id
        self.check_out()
        return made.id.decode()

    def make(self, tree: ObjectID, parents: Sequence[str], message: str = "") -> Commit:
        self._clock += 60
        made = Commit()
        made.tree, made.parents = tree, [ObjectID(parent.encode()) for parent in parents]
        made.author = made.committer = b"A <a@example.com>"
        made.author_time = made.commit_time = self._clock
        made.author_timezone = made.commit_timezone = 0
        made.message = message.encode()
        self.repo.object_store.add_object(made)
        return made

    def link(self, target: str) -> tuple[ObjectID, int]:
        """Content of a file that is a link."""
        return self._blob(target)[0], stat.S_IFLNK

    def submodule(self, commit: str) -> tuple[ObjectID, int]:
        """Content of a folder that stands at a commit of another repository."""
        return ObjectID(commit.encode()), S_IFGITLINK

    def ref(self, name: str, commit: str) -> None:
        self.repo.refs[Ref(f"refs/{name}".encode())] = ObjectID(commit.encode())

    def switch(self, branch: str, at: str = "") -> None:
        """Check a branch out; `at` makes it."""
        if at:
            self.ref(f"heads/{branch}", at)
        self.repo.refs.set_symbolic_ref(self.HEAD, Ref(f"refs/heads/{branch}".encode()))
        self.check_out()

    def detach(self, commit: str) -> None:
        """Check a commit out that no branch leads to, as pipelines do."""
        (self.root / ".git" / "HEAD").write_text(f"{commit}\n")
        self.check_out()

    def check_out(self) -> None:
        """Make the files on disk those of HEAD."""
        for entry in self.root.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        for name, (found, mode) in self._files(self.head).items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if mode == S_IFGITLINK:
                path.mkdir()
            elif stat.S_ISLNK(mode):
                path.symlink_to(self.repo[found].data.decode())
            else:
                path.write_bytes(self.repo[found].data)

    def lose(self, *objects: bytes) -> None:
        """Take loose objects away, as if they had never been fetched."""
        for name in objects:
            spelled = name.decode()
            (self.root / ".git" / "objects" / spelled[:2] / spelled[2:]).unlink()

    def shorten(self, *ends: str) -> None:
        """Make it a shallow clone that ends at these commits."""
        (self.root / ".git" / "shallow").write_text("".join(f"{end}\n" for end in ends))
        gone = {parent for end in ends for parent in self.repo[end.encode()].parents}
        while gone:
            parents = {parent for name in gone for parent in self.repo[name].parents}
            self.lose(*gone)
            gone = {name for name in parents if name in self.repo.object_store}

    def _files(self, commit: str) -> dict[str, tuple[ObjectID, int]]:
        tree = self.repo[commit.encode()].tree
        entries = iter_tree_contents(self.repo.object_store, tree)
        return {entry.path.decode(): (entry.sha, entry.mode) for entry in entries}

    def _blob(self, content: str | bytes) -> tuple[ObjectID, int]:
        blob = Blob.from_string(content if isinstance(content, bytes) else content.encode())
        self.repo.object_store.add_object(blob)
        return blob.id, stat.S_IFREG | 0o644
