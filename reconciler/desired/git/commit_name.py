"""What people call a commit → its id: branch, remote branch, tag, full or short id, and steps back from one of them."""

from __future__ import annotations

import re

from dulwich.errors import RefFormatError
from dulwich.objects import Commit, ObjectID, ShaFile, Tag
from dulwich.objectspec import parse_object, parse_ref
from dulwich.refs import Ref, check_ref_format

from reconciler.desired.git.objects import PIPELINE, SHORT, UNSHALLOW, ReadOnlyRepo, reading
from reconciler.desired.git.revision import RevisionError
from reconciler.desired.suggest import closest

_BRANCHES = (b"refs/heads/", b"refs/remotes/", b"refs/tags/")
_STEPS = re.compile(r"[~^].*$|@\{.*$")
_SHORT_ID = re.compile(r"[0-9a-f]{4,63}")
_BRANCH = re.compile(r"\w[\w./-]*")
"""Names of branches that may stand in a command for a shell as they are."""
_FULL_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_full_id(text: str) -> bool:
    return bool(_FULL_ID.fullmatch(text))


def find_commit(repo: ReadOnlyRepo, name: str) -> Commit:
    """The commit that `name` means, as `git rev-parse` would say. Raises RevisionError, with the ref that may be meant.

    Understands what follows a name (`~2`, `^`, `^2`, `@{1}`), not `branch:path` nor `@{upstream}`.
    """
    steps = _STEPS.search(name)
    start, rest = (name[: steps.start()], steps[0]) if steps else (name, "")
    with reading(repo, f"`{name}`"):
        found = _object(repo, "HEAD" if start in ("@", "") else start) if name else None
        if found is None:
            raise _unknown(repo, start)
        if rest:
            found = _step(repo, name, start, found, rest)
        while isinstance(found, Tag):
            found = repo.object_store[found.object[1]]
        if not isinstance(found, Commit):
            raise RevisionError(
                f"`{name}` is no commit, but a {found.type_name.decode()}",
                advice="name a branch, a tag or a commit",
            )
        return found


def _object(repo: ReadOnlyRepo, name: str) -> ShaFile | None:
    """Raises KeyError where a ref is there and its object is not."""
    spelled = name.encode("utf-8", "surrogateescape")
    if is_full_id(name.lower()):
        full = ObjectID(spelled.lower())
        return repo.object_store[full] if full in repo.object_store else None  # noqa: SIM401 -- has no get
    try:
        found = repo.refs[parse_ref(repo.refs, spelled)]
    except (KeyError, RefFormatError):
        return _abbreviated(repo, name.lower())
    return repo.object_store[found]


def _abbreviated(repo: ReadOnlyRepo, name: str) -> Commit | None:
    if not _SHORT_ID.fullmatch(name):
        return None
    objects = (repo.object_store[found] for found in repo.object_store.iter_prefix(name.encode()))
    commits = {found.id: found for found in objects if isinstance(found, Commit)}
    if len(commits) > 1:
        raise RevisionError(
            f"`{name}` is the beginning of {len(commits)} commits",
            why=", ".join(sorted(found.decode() for found in commits)),
            advice="write more of the one that is meant",
        )
    return next(iter(commits.values()), None)


def _step(repo: ReadOnlyRepo, name: str, start: str, found: ShaFile, rest: str) -> ShaFile:
    """From `found` on, by what follows its name. Entries of the reflog hang on the name, the others on the commit."""
    try:
        spelled = parse_ref(repo.refs, start.encode() or b"HEAD") if rest.startswith("@") else found.id
        return parse_object(repo, spelled + rest.encode())
    except (ValueError, KeyError) as error:
        shallow = bool(repo.shallow_commits())
        raise RevisionError(
            f"`{name}` leads to no commit",
            why="this is a shallow clone, which ends there" if shallow else _reason(error),
            advice=UNSHALLOW if shallow else "git log shows how far the history goes",
        ) from error


def _reason(error: Exception) -> str:
    return "an earlier commit is not there" if isinstance(error, KeyError) else str(error)


def _unknown(repo: ReadOnlyRepo, name: str) -> RevisionError:
    shallow = bool(repo.shallow_commits())
    if is_full_id(name.lower()):
        return RevisionError(
            f"commit {name[:SHORT]} is not in this clone",
            why="it is a shallow clone" if shallow else "it was never fetched, or belongs to another repository",
            advice=UNSHALLOW if shallow else "git fetch",
        )
    meant = _meant(repo, name, alike=not shallow)
    why = "git knows no branch, tag or commit of that name here"
    if meant:
        return RevisionError(f"`{name}` is not in this clone", why=why, advice=f"did you mean `{meant}`?")
    source, then = _source(repo, name)
    fetch = f"git fetch --unshallow{source} {PIPELINE}" if shallow else f"git fetch{source or ' --all'}"
    return RevisionError(
        f"`{name}` is not in this clone",
        why=f"{why}; it is a shallow clone, which has few of them" if shallow else why,
        advice=f"{fetch}{then}",
    )


def _source(repo: ReadOnlyRepo, name: str) -> tuple[str, str]:
    """What follows `git fetch` so that the branch comes, and how it is to be named then: a clone of one branch fetches
    no other unasked."""
    remotes = _remotes(repo)
    remote, _, branch = name.removeprefix("refs/remotes/").partition("/")
    if branch and remote in remotes:
        return f" {remote} {branch}:refs/remotes/{remote}/{branch}", ""
    local = name.removeprefix("refs/heads/")
    if len(remotes) != 1 or local.startswith("refs/") or _SHORT_ID.fullmatch(local.lower()):
        return "", ""
    if not _BRANCH.fullmatch(local) or not check_ref_format(Ref(f"refs/heads/{local}".encode())):
        return "", ""
    (remote,) = remotes
    return f" {remote} {local}:refs/remotes/{remote}/{local}", f", then name {remote}/{local}"


def _meant(repo: ReadOnlyRepo, name: str, *, alike: bool) -> str:
    """The ref of the other side: `origin/main` for `main`, and the other way round; else one that is spelled alike."""
    refs = sorted(repo.refs.allkeys())
    known = [_brief(ref) for ref in refs if ref.startswith(_BRANCHES) and not ref.endswith(b"/HEAD")]
    local = name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    behind_remote = local.partition("/")[2]
    same = [ref for ref in known if ref in (local, behind_remote) or ref.partition("/")[2] == local]
    if same and name:
        return same[0]
    return closest(name, known) if alike and name else ""


def _brief(ref: Ref) -> str:
    prefix = next(prefix for prefix in _BRANCHES if ref.startswith(prefix))
    return ref.removeprefix(prefix).decode("utf-8", "backslashreplace")


def _remotes(repo: ReadOnlyRepo) -> set[str]:
    config = repo.get_config()
    return {section[1].decode() for section in config.sections() if len(section) > 1 and section[0] == b"remote"}
