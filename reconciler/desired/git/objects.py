"""Opening a git repository to read it, and what keeps us from reading it, in the words of git.

Importing this costs 0.1 s (dulwich): import it inside the function that needs it.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dulwich.config import ConfigFile
from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException, NotGitRepository
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

from reconciler.desired.git.revision import RevisionError

SHORT = 10
"""Digits of a commit that messages show."""
PIPELINE = "(in a pipeline: fetch-depth: 0, fetchDepth: 0 or GIT_DEPTH: 0)"
"""The whole history, as GitHub's checkout, Azure DevOps and GitLab call it."""
UNSHALLOW = f"git fetch --unshallow {PIPELINE}"
_EXTENSIONS = b"extensions"
_HARMLESS = (b"partialclone", b"noop", b"preciousobjects")
"""Extensions that change nothing for a reader who stops at an object that is not there."""
_DAMAGE = (
    ApplyDeltaError,
    AssertionError,
    ChecksumMismatch,
    EOFError,
    FileFormatException,
    IndexError,
    MemoryError,
    OSError,
    OverflowError,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What dulwich raises for objects, packs, indexes and refs that are cut off, or in which single bytes were changed."""


class ReadOnlyRepo(Repo):
    """Opens partial clones, too, which dulwich refuses: what was never fetched is told when it is asked for."""

    def get_config(self) -> ConfigFile:
        config = super().get_config()
        for name in _HARMLESS:
            with suppress(KeyError):
                config.remove((_EXTENSIONS,), name)
        return config

    @property
    def partial(self) -> bool:
        """Some objects were left on the server, to be fetched when git needs them."""
        config = self.get_config()
        remotes = [section for section in config.sections() if section[0] == b"remote"]
        return any(config.get_boolean(remote, b"promisor", False) for remote in remotes)

    def shallow_commits(self) -> frozenset[bytes]:
        """Commits whose parents were not fetched; none in a clone that has its whole history."""
        file = self.get_named_file("shallow", basedir=self.commondir())
        if file is None:
            return frozenset()
        with file:
            return frozenset(file.read().split())


def open_repository(root: Path) -> ReadOnlyRepo:
    """The repository whose work tree is `root`. Raises RevisionError."""
    try:
        repo = ReadOnlyRepo(root)
        if not os.path.lexists(Path(repo.controldir()) / "HEAD"):
            repo.close()
            raise NotGitRepository
        return repo
    except NotGitRepository as error:
        raise _unreadable(root, "its .git leads to no repository", "check where it points") from error
    except (UnsupportedVersion, UnsupportedExtension) as error:
        raise _unreadable(root, f"its format is not known: {error.args or vars(error)}") from error
    except _DAMAGE as error:
        raise _unreadable(root, _said(error)) from error


@contextmanager
def reading(repo: ReadOnlyRepo, what: str) -> Iterator[None]:
    """Tells an object that is not there, or damaged, as a RevisionError about `what`."""
    try:
        yield
    except KeyError as error:
        raise _missing(repo, what, error) from error
    except _DAMAGE as error:
        message = f"{what} cannot be read: the repository is damaged"
        raise RevisionError(message, why=_said(error), advice="git fsck tells more; clone it again") from error


def commit_at(repo: ReadOnlyRepo, commit: str) -> Commit:
    """The commit of a full id. Raises RevisionError."""
    with reading(repo, f"commit {commit[:SHORT]}"):
        found = repo.object_store[ObjectID(commit.encode())]
        if not isinstance(found, Commit):
            raise RevisionError(f"{commit[:SHORT]} is no commit, but a {found.type_name.decode()}")
        return found


def _missing(repo: ReadOnlyRepo, what: str, error: KeyError) -> RevisionError:
    named = error.args[0] if error.args else b""
    shown = named.decode("ascii", "backslashreplace")[:SHORT] if isinstance(named, bytes) else str(named)
    message, why = f"{what} cannot be read: an object is not in this clone", f"object {shown} is missing"
    if repo.partial:
        advice = (
            f"let git fetch it: git archive REF > {os.devnull}; or clone without --filter (in a pipeline: `filter:`)"
        )
        return RevisionError(message, why=f"{why}, and this is a partial clone", advice=advice)
    if repo.shallow_commits():
        return RevisionError(message, why=f"{why}, and this is a shallow clone", advice=UNSHALLOW)
    return RevisionError(message, why=why, advice="git fetch, then try again; git fsck tells more")


def _unreadable(root: Path, why: str, advice: str = "git status there tells more") -> RevisionError:
    return RevisionError(f"the git repository {root} cannot be read", why=why, advice=advice)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
