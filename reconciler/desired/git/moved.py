"""Policies that lay elsewhere at a commit: found by what they say, since nothing else tells where they were."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.git.objects import SHORT
from reconciler.desired.git.policy_tree import Names, Node, PolicyTree
from reconciler.desired.git.revision import RevisionError

_POLICY = re.compile(rb"""^\s*[{"']*apiVersion["']?\s*:\s*["']?reconciler/""", re.MULTILINE)
_SCOPE = re.compile(rb"""\bkind["']?\s*:\s*["']?Scope\b""")


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the policies lay, as names from the root of the work tree, and their files."""

    names: Names
    files: tuple[Node, ...]


def find_moved(tree: PolicyTree, stays: Callable[[Names], bool]) -> Moved | None:
    """The one set of policies in the whole tree, or None. A file that `stays` where it lay has not moved: it belongs to
    other policies.

    Raises RevisionError where there is more than one Scope, so that the policies are of several sets.
    """
    files: list[Node] = []
    scopes: list[Node] = []
    for node in tree.every_file():
        if stays(node.names):
            continue
        content = tree.read(node)
        if _POLICY.search(content):
            files.append(node)
            if _SCOPE.search(content):
                scopes.append(node)
    if len(scopes) > 1:
        raise RevisionError(
            f"which policies these were at commit {tree.commit.id.decode()[:SHORT]} cannot be told: several have moved",
            why="there is a Scope in " + ", ".join("/".join(node.names) for node in scopes),
            advice="move the policies in a commit of its own, or do without: --base none",
        )
    if not files:
        return None
    if len(files) == 1:
        return Moved(files[0].names, tuple(files))
    return Moved(tuple(Path(os.path.commonpath(Path(*node.names[:-1]) for node in files)).parts), tuple(files))
