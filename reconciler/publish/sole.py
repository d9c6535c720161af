"""One comment of a pull request, whatever runs at the same time: made or edited; what a race left beside it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import PublishError

_GONE = 404


@dataclass(frozen=True, slots=True)
class Comment:
    """One that carries our marker and that we wrote. `path` is where the host's API has it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Comments:
    """Those of one pull request. `ours` reads them, the oldest first; `add`, `edit` and `delete` write."""

    ours: Callable[[], list[Comment]]
    add: Callable[[str], object]
    edit: Callable[[str, str], object]
    delete: Callable[[str], object]


def keep_one(comments: Comments, body: str, place: str) -> str:
    """The oldest of ours says `body`, and no other of ours is left: two runs that both found none have made two, and
    the one that nobody edits any longer would show a plan that is not true. Raises PublishError."""
    there = comments.ours()
    if not there:
        comments.add(body)
        there, told = comments.ours(), f"commented on {place}"
    elif _same(there[0].text, body):
        told = f"the comment on {place} says so already"
    else:
        told = f"edited the comment on {place}"
    if there and not _same(there[0].text, body):
        comments.edit(there[0].path, body)
    for extra in there[1:]:
        _delete(comments, extra)
    return told


def _delete(comments: Comments, extra: Comment) -> None:
    try:
        comments.delete(extra.path)
    except PublishError as error:
        if error.status != _GONE:  # the other run was faster
            raise


def _same(one: str, other: str) -> bool:
    """Hosts turn line ends and trim."""
    return one.replace("\r\n", "\n").strip() == other.strip()
