"""The policies as a commit has them: what `repository.py` answers. Light to import: reads nothing."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import UsageError


class RevisionError(UsageError):
    """A commit, or the policies at it, cannot be had: a shallow clone, a ref that is not there, unrelated histories, an
    object that was never fetched, a repository that cannot be read."""


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file: `name` as findings show it, `content` up to one byte more than is read of a policy file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Revision:
    """The policy files at a commit (its full id), in the order in which they would be read from disk.

    `note` says where they were not found as expected: `policies lay in infra/policies there`, `no policies there`.
    """

    commit: str
    files: tuple[PolicyFile, ...]
    note: str = ""
