"""The policy files in the tree of a commit, by the rules by which `locate.py` finds them on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dulwich.object_store import BaseObjectStore
from dulwich.objects import S_IFGITLINK, Blob, Commit, ObjectID, Tree

from reconciler.desired.git.objects import SHORT, ReadOnlyRepo, commit_at, open_repository, reading
from reconciler.desired.git.revision import PolicyFile, RevisionError
from reconciler.desired.load import MOST_BYTES
from reconciler.desired.locate import MOST_FILES, SUFFIXES, display

_MOST_LINKS = 40
_POINTERS = {b"version https://git-lfs.github.com/spec/": "Git LFS", b"\0GITCRYPT\0": "git-crypt"}
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A file, folder, link or submodule: `names` lead to it from the root, and no link is among them."""

    names: Names
    mode: int
    id: ObjectID
    store: BaseObjectStore

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)


@dataclass(slots=True)
class PolicyTree:
    """What a commit holds, with links followed and submodules entered as a checkout of it would have them.

    `submodules` are those that were entered: whoever made the dict closes them, and may hand it to other trees.
    Raises RevisionError throughout, for what is not in this clone or lies outside of the repository.
    """

    repo: ReadOnlyRepo
    root: Path
    commit: Commit
    submodules: dict[Names, ReadOnlyRepo]
    _trees: dict[ObjectID, Tree] = field(default_factory=dict)

    def find(self, names: Sequence[str]) -> Node | None:
        """What stands at a path; None where nothing does. Links on the way, and at its end, are followed."""
        with reading(self.repo, self._called()):
            return self._follow(list(names), _MOST_LINKS)

    def files_below(self, node: Node, shown: Path) -> list[tuple[Path, Node]]:
        """The policy files at or below `node`, each by the name under which it shows, in the order of reading."""
        with reading(self.repo, self._called()):
            if node.is_file:
                return [(shown, node)]
            found = list(self._walk(node, shown, frozenset({node.names}), links=True))
        return sorted(found, key=lambda item: item[0].parts)

    def every_file(self) -> Iterator[Node]:
        """All that is named like a policy file, wherever it lies in the repository itself."""
        with reading(self.repo, self._called()):
            top = Node((), stat.S_IFDIR, self.commit.tree, self.repo.object_store)
            yield from (node for _, node in self._walk(top, Path(), frozenset(), links=False))

    def read(self, node: Node) -> bytes:
        """Its bytes, up to one more than is read of a policy file."""
        path = "/".join(node.names)
        with reading(self.repo, f"{path} at {self._called()}"):
            blob = node.store[node.id]
            assert isinstance(blob, Blob)
            content = bytes(blob.data[: MOST_BYTES + 1])
        keeper = next((name for start, name in _POINTERS.items() if content.startswith(start)), "")
        if keeper:
            why = f"git holds what {keeper} made of it"
            raise RevisionError(f"{path} at {self._called()} is no YAML", why=why, advice="keep policies as plain text")
        return content

    def _called(self) -> str:
        return f"commit {self.commit.id.decode()[:SHORT]}"

    def _tree(self, node: Node) -> Tree:
        if node.id not in self._trees:
            tree = node.store[node.id]
            assert isinstance(tree, Tree)
            self._trees[node.id] = tree
        return self._trees[node.id]

    def _child(self, folder: Node, name: str) -> Node | None:
        tree, spelled = self._tree(folder), os.fsencode(name)
        return Node((*folder.names, name), *tree[spelled], folder.store) if spelled in tree else None

    def _children(self, folder: Node) -> Iterator[Node]:
        for entry in self._tree(folder).iteritems():
            yield Node((*folder.names, os.fsdecode(entry.path)), entry.mode, entry.sha, folder.store)

    def _follow(self, names: list[str], links: int) -> Node | None:
        node = Node((), stat.S_IFDIR, self.commit.tree, self.repo.object_store)
        for position, name in enumerate(names):
            child = self._child(node, name) if node.is_folder else None
            if child is None:
                return None
            if stat.S_ISLNK(child.mode):
                target = self._target(child)
                return self._follow([*target, *names[position + 1 :]], links - 1) if links else None
            node = self._enter(child) if child.mode == S_IFGITLINK else child
        return node

    def _target(self, link: Node) -> Names:
        """Where a link leads, from the root of the work tree."""
        blob = link.store[link.id]
        assert isinstance(blob, Blob)
        here = self.root.joinpath(*link.names[:-1])
        target = Path(os.path.abspath(here / os.fsdecode(blob.data)))  # noqa: PTH100 -- links stay as they are
        if not target.is_relative_to(self.root):
            raise RevisionError(
                f"{'/'.join(link.names)} at {self._called()} is a link out of the repository",
                why=f"what lay in {display(target)} then, git cannot tell",
                advice="keep all policies in the repository",
            )
        return target.relative_to(self.root).parts

    def _enter(self, link: Node) -> Node:
        """The tree of the commit that a submodule stands at."""
        path = self.root.joinpath(*link.names)
        if not (path / ".git").exists():
            raise RevisionError(
                f"{'/'.join(link.names)} is a submodule that is not checked out",
                why=f"{self._called()} takes policies from it",
                advice="git submodule update --init (in a pipeline: submodules: true)",
            )
        if link.names not in self.submodules:
            self.submodules[link.names] = open_repository(path)
        submodule = self.submodules[link.names]
        commit = commit_at(submodule, link.id.decode())
        return Node(link.names, stat.S_IFDIR, commit.tree, submodule.object_store)

    def _walk(self, folder: Node, shown: Path, trail: frozenset[Names], *, links: bool) -> Iterator[tuple[Path, Node]]:
        for child in self._children(folder):
            name = child.names[-1]
            named_as_file = Path(name).suffix.lower() in SUFFIXES
            if name.startswith("."):
                continue
            if not links and not (child.is_folder or child.is_file):
                continue
            node = self._reached(child, named_as_file)
            if node is None or (node.is_folder and (named_as_file or node.names in trail)):
                continue
            if node.is_folder:
                yield from self._walk(node, shown / name, trail | {node.names}, links=links)
            elif named_as_file:
                yield shown / name, node

    def _reached(self, child: Node, named_as_file: bool) -> Node | None:
        """What an entry of a folder stands for. A link that leads out is no matter where it is no policy either."""
        if child.is_folder or child.is_file:
            return child
        if child.mode == S_IFGITLINK:
            return self._enter(child)
        try:
            return self._follow(list(child.names), _MOST_LINKS)
        except RevisionError:
            if named_as_file or self.root.joinpath(*child.names).is_dir():
                raise
            return None


def policy_files(tree: PolicyTree, places: Sequence[tuple[Path, Names]]) -> list[tuple[Path, Node]]:
    """The policy files at or below `places` (the name that shows, and the names from the root), each only once.

    Raises RevisionError as PolicyTree does, and for more files than are read at once.
    """
    found: dict[tuple[Names, ObjectID], tuple[Path, Node]] = {}
    for shown, names in places:
        node = tree.find(names)
        for path, file in tree.files_below(node, shown) if node else ():
            found.setdefault((file.names, file.id), (path, file))
    if len(found) > MOST_FILES:
        called = tree.commit.id.decode()[:SHORT]
        message = f"{len(found)} files at commit {called} are more than the {MOST_FILES} that are read at once"
        raise RevisionError(message, advice="name the folder of the policies, not one above it")
    return sorted(found.values(), key=lambda item: item[0].parts)


def read_files(tree: PolicyTree, found: Sequence[tuple[Path, Node]]) -> tuple[PolicyFile, ...]:
    return tuple(PolicyFile(display(path), tree.read(node)) for path, node in found)
