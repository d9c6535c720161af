"""Paths → the policy files below them, in a fixed order."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.source import Source
from reconciler.plan.finding import Finding

SUFFIXES = (".yaml", ".yml")
MOST_FILES = 5_000


@dataclass(frozen=True, slots=True)
class Located:
    """The files to read, sorted by path and each only once, and what could not be followed."""

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def display(path: Path) -> str:
    """The path as findings show it: with forward slashes, and printable even where the name is not UTF-8."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode()


def locate(paths: Sequence[Path]) -> Located:
    """Every `*.yaml` and `*.yml` file below the given files and directories. Never raises.

    Names that begin with a dot are passed over. Whatever else cannot be followed becomes a finding: a path that is not
    there, a dangling or circular link, a directory named like a file, a device, a directory without policies.
    """
    findings: list[Finding] = []
    found: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            findings.append(_unreachable(path, error))
            continue
        if not stat.S_ISDIR(status.st_mode):
            _keep(path, found, findings)
            continue
        files = list(_walk(path, frozenset({(status.st_dev, status.st_ino)}), findings))
        for file in files:
            _keep(file, found, findings)
        if not files and not findings:
            findings.append(_finding(path, "holds no policies", "put *.yaml files below it, or name another directory"))
    if len(found) > MOST_FILES:
        findings.append(_finding(paths[0], f"{len(found)} files are more than the {MOST_FILES} that are read at once"))
        found = {}
    return Located(tuple(sorted(found.values(), key=lambda file: file.parts)), tuple(findings))


def _walk(folder: Path, trail: frozenset[tuple[int, int]], findings: list[Finding]) -> Iterator[Path]:
    """The policy files below `folder`; `trail` identifies the directories we are in, to notice a link back to one."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        findings.append(_unreachable(folder, error))
        return
    for entry in entries:
        named_as_file = entry.suffix.lower() in SUFFIXES
        try:
            status = entry.stat()
        except OSError as error:
            if named_as_file or error.errno != errno.ENOENT:
                findings.append(_unreachable(entry, error))
            continue
        identity = (status.st_dev, status.st_ino)
        if not stat.S_ISDIR(status.st_mode):
            if named_as_file:
                yield entry
        elif named_as_file:
            advice = f"rename it to {display(entry.with_suffix(''))}, or move its files"
            findings.append(_finding(entry, "is a directory with the name of a policy file", advice))
        elif identity in trail:
            findings.append(_finding(entry, "links to a directory that it lies in", "remove the link"))
        else:
            yield from _walk(entry, trail | {identity}, findings)


def _keep(path: Path, found: dict[tuple[int, int], Path], findings: list[Finding]) -> None:
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        found.setdefault((status.st_dev, status.st_ino), path)
    else:
        findings.append(_finding(path, "is not a regular file", "policies are read from files only"))


def _unreachable(path: Path, error: OSError) -> Finding:
    if error.errno == errno.ELOOP:
        return _finding(path, "is a link that leads back to itself", "remove the link")
    if error.errno == errno.ENOENT and path.is_symlink():
        return _finding(path, "is a link to a file that is not there", "restore the file or remove the link")
    if error.errno == errno.ENOENT:
        return _finding(path, "does not exist", "check the path, and the directory that you are in")
    return _finding(path, f"cannot be read: {error.strerror}", "check its permissions")


def _finding(path: Path, message: str, advice: str = "") -> Finding:
    return Finding(code="file", message=message, advice=advice, source=Source(display(path)))
