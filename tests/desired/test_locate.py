"""Finding the files: order, what is passed over, and everything in a file system that is no policy file."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.desired.locate import locate

FOLDER = "is a directory with the name of a policy file"


def names(folder: Path) -> list[str]:
    return [file.as_posix() for file in locate([folder]).files]


def said(*paths: Path) -> list[str]:
    return [str(finding) for finding in locate(paths).findings]


def test_sorted_recursive_and_only_yaml(policies: Path) -> None:
    for name in (
        "b.yaml",
        "a.yml",
        "C.YAML",
        "sub/z.yaml",
        "sub/deep/y.yaml",
        "notes.md",
        ".hidden.yaml",
        ".git/x.yaml",
    ):
        path = policies / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert names(policies) == [
        "policies/C.YAML",
        "policies/a.yml",
        "policies/b.yaml",
        "policies/sub/deep/y.yaml",
        "policies/sub/z.yaml",
    ]
    assert said(policies) == []


def test_a_file_is_read_once_however_often_it_is_named(policies: Path) -> None:
    file = policies / "a.yaml"
    file.write_text("")
    (policies / "b.yaml").symlink_to("a.yaml")
    located = locate([file, policies, policies / ".." / "policies"])
    assert located.files == (file,)
    assert located.findings == ()


def test_a_single_file_may_have_any_name(policies: Path) -> None:
    (policies / "plan").write_text("")
    assert locate([policies / "plan"]).files == (policies / "plan",)


def test_a_linked_directory_is_followed(policies: Path) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/a.yaml").write_text("")
    (policies / "link").symlink_to(Path("../elsewhere"))
    assert names(policies) == ["policies/link/a.yaml"]


def test_what_is_not_there(policies: Path) -> None:
    assert said(Path("polices")) == ["polices: file does not exist (check the path, and the directory that you are in)"]


def test_a_directory_without_policies(policies: Path) -> None:
    assert said(policies) == ["policies: file holds no policies (put *.yaml files below it, or name another directory)"]


def test_everything_that_is_no_file_is_named_at_once(policies: Path) -> None:
    (policies / "dangling.yaml").symlink_to("nowhere.yaml")
    (policies / "loop.yaml").symlink_to("loop.yaml")
    (policies / "folder.yaml").mkdir()
    (policies / "back").symlink_to("..")
    (policies / "back2").symlink_to(".")
    os.mkfifo(policies / "pipe.yaml")
    assert said(policies) == [
        "policies/back/policies: file links to a directory that it lies in (remove the link)",
        "policies/back2: file links to a directory that it lies in (remove the link)",
        "policies/dangling.yaml: file is a link to a file that is not there (restore the file or remove the link)",
        f"policies/folder.yaml: file {FOLDER} (rename it to policies/folder, or move its files)",
        "policies/loop.yaml: file is a link that leads back to itself (remove the link)",
        "policies/pipe.yaml: file is not a regular file (policies are read from files only)",
    ]


def test_a_name_that_is_not_utf_8(policies: Path) -> None:
    Path(os.fsdecode(os.fsencode(policies) + b"/\xff.yaml")).mkdir()
    assert said(policies) == [
        f"policies/\\udcff.yaml: file {FOLDER} (rename it to policies/\\udcff, or move its files)"
    ]
