"""Where policies lie in the work tree of a git repository. Reads no object, needs no library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.git.revision import RevisionError
from reconciler.desired.locate import display


@dataclass(frozen=True, slots=True)
class Place:
    """A path to policies: as it was given, and as the names that lead to it from the root of the work tree."""

    given: Path
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The checked-out files of one repository, or of one of its linked work trees."""

    root: Path
    places: tuple[Place, ...]

    def shown(self, names: Sequence[str]) -> Path:
        """How a person who stands where we do would write the path of a file in the tree."""
        here = Path.cwd()
        if here.is_relative_to(self.root.resolve()):
            return Path(os.path.relpath(self.root.resolve().joinpath(*names), here))
        return Path(*names)


def find_work_tree(paths: Sequence[Path]) -> WorkTree | None:
    """The work tree that all of `paths` lie in; None where they lie in none.

    Raises RevisionError where they lie in several, in one and outside, or in a bare repository.
    """
    placed = [(path, *_place(path)) for path in paths]
    roots = {root.resolve() if root else None for _, root, _ in placed}
    if len(roots) > 1:
        listed = ", ".join(f"{display(path)} in {display(root) if root else 'none'}" for path, root, _ in placed)
        raise RevisionError(
            "the policies lie in more than one git repository, so no commit says what they were",
            why=listed,
            advice="keep them in one, or do without: --base none",
        )
    root = placed[0][1] if placed else None
    return WorkTree(root, tuple(Place(path, names) for path, _, names in placed)) if root else None


def _place(path: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The root of the work tree that `path` lies in, and the names from there.

    Links inside the tree stay as they are written: at another commit they may lead elsewhere.
    """
    written, real = Path(os.path.abspath(path)), Path(os.path.realpath(path))  # noqa: PTH100 -- links stay, loops pass
    root = _root_of(written)
    if root and real.is_relative_to(root.resolve()):
        return root, written.relative_to(root).parts
    root = _root_of(real)
    return root, real.relative_to(root).parts if root else ()


def _root_of(path: Path) -> Path | None:
    for folder in (path, *path.parents):
        try:
            if _is_root(folder):
                return folder
            bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
        except PermissionError as error:
            raise RevisionError(
                f"whether {display(folder)} is a git repository cannot be told",
                why=f"{display(Path(error.filename))}: {error.strerror}",
                advice="check its permissions",
            ) from error
        except OSError:
            continue
        if bare:
            raise RevisionError(
                f"{display(folder)} is a git repository without a work tree",
                why=f"{display(path)} lies inside of it: nothing is checked out there",
                advice="work in a clone of it",
            )
    return None


def _is_root(folder: Path) -> bool:
    git = folder / ".git"
    return git.is_file() or (git / "HEAD").exists() or (git / "HEAD").is_symlink()
