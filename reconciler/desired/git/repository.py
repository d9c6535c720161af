"""The git repository that the policies lie in: which commit is the base, and what the policies were there.

Only read, with dulwich: no git binary is needed, and whose repository it is does not matter. Importing this costs
0.1 s: import it inside the function that needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from dulwich.graph import find_merge_base
from dulwich.objects import Blob, Commit, ObjectID

from reconciler.desired.git.commit_name import find_commit, is_full_id
from reconciler.desired.git.moved import find_moved
from reconciler.desired.git.objects import SHORT, UNSHALLOW, ReadOnlyRepo, commit_at, open_repository, reading
from reconciler.desired.git.policy_tree import Names, Node, PolicyTree, policy_files, read_files
from reconciler.desired.git.revision import Revision, RevisionError
from reconciler.desired.git.work_tree import WorkTree, find_work_tree
from reconciler.desired.locate import display, locate

_LINE_END = b"\r\n"
_MOST_COMMITS = 5_000
"""How far back commits are counted: each costs 0.2 ms, and beyond this the number says nothing more."""


class Repository:
    """One repository, for as long as a command reads it. Every method that reads may raise RevisionError."""

    def __init__(self, repo: ReadOnlyRepo, tree: WorkTree) -> None:
        self._repo = repo
        self._tree = tree
        self._submodules: dict[Names, ReadOnlyRepo] = {}
        self.head = self._head()

    @classmethod
    def around(cls, paths: Sequence[Path]) -> Repository | None:
        """The repository that the policies lie in; None outside of git.

        Raises RevisionError where they lie in several, or where it cannot be read.
        """
        tree = find_work_tree(paths)
        if tree is None:
            return None
        repo = open_repository(tree.root)
        try:
            return cls(repo, tree)
        except RevisionError:
            repo.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for repo in (self._repo, *self._submodules.values()):
            repo.close()

    @property
    def root(self) -> Path:
        """The top folder of the work tree."""
        return self._tree.root

    @property
    def shallow(self) -> bool:
        """The clone has only the newest part of the history."""
        return bool(self._repo.shallow_commits())

    def _head(self) -> str:
        with reading(self._repo, "HEAD"):
            try:
                return self._repo.head().decode()
            except KeyError:
                return ""

    def holds(self, commit: str) -> bool:
        """The commit of this full id is in the clone."""
        if not is_full_id(commit):
            return False
        with reading(self._repo, f"commit {commit[:SHORT]}"):
            name = ObjectID(commit.encode())
            return name in self._repo.object_store and isinstance(self._repo.object_store[name], Commit)

    def base_of(self, ref: str) -> str:
        """The merge base of HEAD and `ref` (branch, remote branch, tag, full or short id, `HEAD~2`): where they parted.

        Of several, which criss-cross merges leave, the newest.
        """
        if not self.head:
            raise RevisionError("nothing is committed here yet, so there is no base", advice="commit, or --base none")
        other = find_commit(self._repo, ref)
        bases = self._merge_bases(other.id.decode())
        if bases:
            return bases[-1]
        shallow = self.shallow
        raise RevisionError(
            f"HEAD and `{ref}` have no common commit here",
            why="this is a shallow clone: the history ends before the place where they parted"
            if shallow
            else "their histories are unrelated",
            advice=UNSHALLOW if shallow else "name another base, or do without: --base none",
        )

    def behind(self, commit: str) -> bool:
        """HEAD lacks this commit: it is no ancestor, or not even in the clone.

        In a shallow clone an ancestor may lie below its end, so there only a commit that comes after HEAD is said to be
        lacking: a warning that is wrong in every pipeline teaches nobody anything.
        """
        if not self.head or not self.holds(commit):
            return not self.shallow
        bases = self._merge_bases(commit)
        if commit in bases:
            return False
        return self.head in bases or not self.shallow

    def count_since(self, commit: str) -> int | None:
        """How many commits of HEAD that `commit` lacks touch the policies, merges not counted; None where the history
        for that is not in the clone, or is longer than anybody would count."""
        if not self.head or not self.holds(commit):
            return None
        try:
            return self._count(commit)
        except RevisionError:
            return None

    def _count(self, commit: str) -> int | None:
        ends, found = self._repo.shallow_commits(), 0
        fingerprint = cache(self._fingerprint)
        with reading(self._repo, "the history"):
            history = self._repo.get_walker([ObjectID(self.head.encode())], exclude=[ObjectID(commit.encode())])
            for number, entry in enumerate(history):
                if entry.commit.id in ends or number >= _MOST_COMMITS:
                    return None
                here, parents = fingerprint(entry.commit.id.decode()), entry.commit.parents
                if len(parents) < 2:
                    found += here != fingerprint(parents[0].decode()) if parents else any(here)
        return found

    def at(self, commit: str) -> Revision:
        """The policy files at a commit, by its full id; where nothing lies at their paths, from where they lay then."""
        tree = self._at(commit)
        found = policy_files(tree, self._places())
        if found:
            return Revision(commit, read_files(tree, found), self._note_absent(tree))
        moved = find_moved(tree, self._stays)
        if not moved:
            return Revision(commit, (), "no policies there")
        files = [(self._tree.shown(node.names), node) for node in moved.files]
        files.sort(key=lambda item: item[0].parts)
        return Revision(commit, read_files(tree, files), f"policies lay in {'/'.join(moved.names) or '.'} there")

    def dirty(self) -> bool:
        """The policy files on disk are not those of HEAD: changed, added, removed, or ignored by git and read all the
        same. The line ends that git writes on Windows are no difference."""
        here = {display(path): path for path in locate([place.given for place in self._tree.places]).files}
        if not self.head:
            return bool(here)
        tree = self._at(self.head)
        there = {display(path): node for path, node in policy_files(tree, self._places())}
        return here.keys() != there.keys() or any(_differs(tree, here[name], node) for name, node in there.items())

    def _at(self, commit: str) -> PolicyTree:
        if not is_full_id(commit):
            raise RevisionError(f"`{commit}` is no commit id")
        return PolicyTree(self._repo, self.root, commit_at(self._repo, commit), self._submodules)

    def _places(self) -> list[tuple[Path, Names]]:
        return [(place.given, place.names) for place in self._tree.places]

    def _note_absent(self, tree: PolicyTree) -> str:
        absent = [display(place.given) for place in self._tree.places if not tree.find(place.names)]
        return f"no {', '.join(absent)} there" if absent else ""

    def _stays(self, names: Names) -> bool:
        """A file of that path is on disk, and it is none of ours."""
        path = self.root.joinpath(*names)
        return path.exists() and path.resolve() not in self._ours

    @cached_property
    def _ours(self) -> frozenset[Path]:
        return frozenset(file.resolve() for file in locate([place.given for place in self._tree.places]).files)

    def _merge_bases(self, commit: str) -> list[str]:
        """The oldest first."""
        with reading(self._repo, "the history"):
            pair = [ObjectID(self.head.encode()), ObjectID(commit.encode())]
            return [found.decode() for found in find_merge_base(self._repo, pair)]

    def _fingerprint(self, commit: str) -> tuple[Node | None, ...]:
        """What stands at the paths of the policies: equal where they are."""
        tree = self._at(commit)
        return tuple(tree.find(place.names) for place in self._tree.places)


def _differs(tree: PolicyTree, path: Path, node: Node) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return True
    if Blob.from_string(content).id == node.id:
        return False
    return content.replace(_LINE_END, b"\n") != tree.read(node).replace(_LINE_END, b"\n")
