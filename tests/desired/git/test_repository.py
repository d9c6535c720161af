"""Git as the base: where a branch parted, what the policies were there, and a clear word for every odd clone."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dulwich import porcelain

from reconciler.desired.git import repository as module
from reconciler.desired.git.repository import Repository
from reconciler.desired.load import MOST_BYTES
from reconciler.desired.validate import validate, validate_files
from reconciler.kinds.base import Kind
from tests.desired.history import CHANGED, HERE, LOCK, POLICIES, SCOPE, History, around, refused

Kinds = tuple[Kind[Any], ...]


def names(repository: Repository, commit: str) -> list[str]:
    return [file.name for file in repository.at(commit).files]


class TestAt:
    def test_the_files_of_a_commit_are_those_that_were_on_disk(
        self, history: History, kinds: Kinds, today: dt.date
    ) -> None:
        first = history.commit(POLICIES)
        before = validate([HERE], today, kinds)
        history.commit(CHANGED)
        with around() as repository:
            revision = repository.at(first)
        assert (revision.commit, revision.note) == (first, "")
        then = validate_files(revision.files, today, kinds)
        assert then == before
        assert then.declared
        assert validate([HERE], today, kinds).digest != before.digest

    @pytest.mark.parametrize(
        ("stand", "given", "shown"),
        [
            (".", "policies", ["policies/doors/lock.yml", "policies/scope.yaml"]),
            ("policies", ".", ["doors/lock.yml", "scope.yaml"]),
            ("policies/doors", "..", ["../doors/lock.yml", "../scope.yaml"]),
            ("policies", "scope.yaml", ["scope.yaml"]),
            (".", "policies/../policies/doors", ["policies/../policies/doors/lock.yml"]),
            (".", ".", ["policies/doors/lock.yml", "policies/scope.yaml"]),
        ],
    )
    def test_names_are_what_whoever_stands_there_would_write(
        self, stand: str, given: str, shown: list[str], history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = history.commit(POLICIES)
        monkeypatch.chdir(history.root / stand)
        with around(Path(given)) as repository:
            assert names(repository, commit) == shown

    def test_an_absolute_path_stays_one(self, history: History) -> None:
        commit = history.commit(POLICIES)
        with around(history.root / "policies" / "doors") as repository:
            assert names(repository, commit) == [f"{history.root.as_posix()}/policies/doors/lock.yml"]

    def test_several_paths_give_each_file_once(self, history: History) -> None:
        commit = history.commit(POLICIES)
        with around(HERE / "scope.yaml", HERE, HERE / "later") as repository:
            assert names(repository, commit) == ["policies/doors/lock.yml", "policies/scope.yaml"]
            assert repository.at(commit).note == "no policies/later there"

    def test_a_file_that_is_called_otherwise_changes_nothing(
        self, history: History, kinds: Kinds, today: dt.date
    ) -> None:
        first = history.commit(POLICIES)
        second = history.commit({"policies/doors/lock.yml": None, "policies/locks.yaml": LOCK})
        with around() as repository:
            old, new = (validate_files(repository.at(commit).files, today, kinds) for commit in (first, second))
        assert old.digest == new.digest == validate([HERE], today, kinds).digest
        assert [file.as_posix() for file in old.files] != [file.as_posix() for file in new.files]

    def test_a_file_too_large_to_read_on_disk_is_too_large_at_a_commit(
        self, history: History, kinds: Kinds, today: dt.date
    ) -> None:
        commit = history.commit({**POLICIES, "policies/huge.yaml": "#" * (2 * MOST_BYTES)})
        with around() as repository:
            revision = repository.at(commit)
        assert max(len(file.content) for file in revision.files) == MOST_BYTES + 1
        assert validate_files(revision.files, today, kinds) == validate([HERE], today, kinds)
        assert any("is larger than 1024 KiB" in str(item) for item in validate([HERE], today, kinds).findings)

    def test_what_is_no_commit_here(self, history: History, another_history: History) -> None:
        history.commit(POLICIES)
        foreign = another_history.commit({"policies/scope.yaml": SCOPE, "x": "y"})
        with around() as repository:
            assert not repository.holds(foreign)
            assert not repository.holds("main")
            assert refused(lambda: repository.at(foreign)).why == f"object {foreign[:10]} is missing"
            assert refused(lambda: repository.at("main")).message == "`main` is no commit id"

    def test_packed_objects(self, history: History) -> None:
        first = history.commit(POLICIES)
        history.commit(CHANGED)
        with around() as repository:
            loose = repository.at(first)
        history.repo.object_store.pack_loose_objects()
        history.repo.refs.pack_refs(all=True)
        assert not list((history.root / ".git" / "objects").glob("??/*"))
        with around() as repository:
            assert repository.at(first) == loose
            assert repository.base_of("main~1") == first


class TestBase:
    def test_it_is_where_the_branch_parted(self, history: History) -> None:
        parted = history.commit(POLICIES)
        history.commit({"other": "1"})
        history.switch("edit", at=parted)
        edit = history.commit(CHANGED)
        with around() as repository:
            assert repository.head == edit
            assert repository.root == history.root
            assert repository.base_of("main") == parted
            assert repository.base_of("HEAD") == edit
            assert repository.base_of("edit~1") == parted

    def test_the_merge_that_a_pipeline_checks_out_has_the_tip_of_the_target_as_its_base(self, history: History) -> None:
        parted = history.commit(POLICIES)
        tip = history.commit({"other": "1"})
        history.ref("remotes/origin/main", tip)
        history.switch("edit", at=parted)
        edit = history.commit(CHANGED)
        history.detach(history.commit(CHANGED, edit, onto=tip))
        with around() as repository:
            assert repository.base_of("origin/main") == tip
            assert repository.base_of(parted) == parted

    def test_of_several_the_newest(self, history: History) -> None:
        root = history.commit(POLICIES)
        ours = history.commit({"a": "1"})
        history.switch("edit", at=root)
        theirs = history.commit({"b": "1"})
        history.commit({"c": "1"}, ours)
        history.switch("main")
        history.commit({"d": "1"}, theirs)
        with around() as repository:
            assert repository.base_of("edit") == theirs

    def test_unrelated_histories(self, history: History) -> None:
        history.commit(POLICIES)
        history.switch("other", at=history.head)
        history.commit(POLICIES, onto="")
        with around() as repository:
            error = refused(lambda: repository.base_of("main"))
        assert error.message == "HEAD and `main` have no common commit here"
        assert error.why == "their histories are unrelated"

    def test_a_shallow_clone_that_ends_too_early(self, history: History) -> None:
        parted = history.commit(POLICIES)
        tip = history.commit({"other": "1"})
        history.switch("edit", at=parted)
        edit = history.commit(CHANGED)
        history.shorten(tip, edit)
        with around() as repository:
            assert repository.shallow
            error = refused(lambda: repository.base_of("main"))
        assert error.message == "HEAD and `main` have no common commit here"
        assert "shallow clone" in error.why
        assert error.advice.startswith("git fetch --unshallow")
        assert "fetch-depth: 0" in error.advice

    def test_a_shallow_clone_as_they_are_made(self, history: History, tmp_path: Path) -> None:
        first = history.commit(POLICIES)
        history.commit(CHANGED)
        with (tmp_path / "log").open("wb") as log:
            porcelain.clone(str(history.root), str(tmp_path / "clone"), depth=1, errstream=log).close()
        with around(tmp_path / "clone" / "policies") as repository:
            assert repository.base_of("origin/main") == repository.head
            assert not repository.dirty()
            assert not repository.behind(first)
            assert repository.count_since(first) is None
            assert "shallow clone" in refused(lambda: repository.at(first)).why
            assert "shallow clone" in refused(lambda: repository.base_of("HEAD~1")).why
            assert "shallow clone" in refused(lambda: repository.base_of("origin/gone")).why

    def test_nothing_is_committed_yet(self, history: History) -> None:
        with around() as repository:
            assert repository.head == ""
            assert not repository.dirty()
            assert "nothing is committed here yet" in refused(lambda: repository.base_of("main")).message
            assert repository.behind("0" * 40)
            assert repository.count_since("0" * 40) is None
        (history.root / "policies").mkdir()
        (history.root / "policies" / "scope.yaml").write_text(SCOPE)
        with around() as repository:
            assert repository.dirty()


class TestDistance:
    def test_behind(self, history: History, another_history: History) -> None:
        first = history.commit(POLICIES)
        second = history.commit(CHANGED)
        history.switch("edit", at=first)
        history.commit({"other": "1"})
        with around() as repository:
            assert not repository.behind(first)
            assert not repository.behind(repository.head)
            assert repository.behind(second)
            assert repository.behind(another_history.commit({"never": "fetched"}))

    def test_in_a_shallow_clone_only_what_comes_after_is_lacking_for_certain(self, history: History) -> None:
        history.commit(POLICIES)
        end = history.commit({"other": "1"})
        after = history.commit(CHANGED)
        history.switch("edit", at=end)
        history.shorten(end)
        with around() as repository:
            assert repository.behind(after)
            assert not repository.behind(end)
            assert not repository.behind("0" * 40)

    def test_commits_that_touch_the_policies_are_counted(self, history: History) -> None:
        first = history.commit(POLICIES)
        history.commit(CHANGED)
        history.commit({"README.md": "An estate of ours."})
        history.switch("edit", at=first)
        edit = history.commit({"policies/more.yaml": "{}"})
        history.switch("main")
        history.commit({"policies/more.yaml": "{}"}, edit)
        last = history.commit({"policies/scope.yaml": SCOPE + "# again\n"})
        with around() as repository:
            assert repository.count_since(first) == 3
            assert repository.count_since(f"{last}") == 0
        with around(HERE / "scope.yaml") as repository:
            assert repository.count_since(first) == 1

    def test_nobody_counts_for_ever(self, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
        first = history.commit(POLICIES)
        history.commit(CHANGED)
        history.commit({"README.md": "An estate of ours."})
        with around() as repository:
            assert repository.count_since(first) == 1
            monkeypatch.setattr(module, "_MOST_COMMITS", 1)
            assert repository.count_since(first) is None

    def test_the_first_commit_of_the_policies_counts(self, history: History) -> None:
        other = history.commit(POLICIES)
        history.switch("anew", at=other)
        history.commit(POLICIES, onto="")
        with around() as repository:
            assert repository.count_since(other) == 1


class TestDirty:
    @pytest.mark.parametrize(
        ("name", "content", "dirty"),
        [
            ("policies/scope.yaml", SCOPE + "# one more line\n", True),
            ("policies/scope.yaml", SCOPE, False),
            ("policies/scope.yaml", SCOPE.replace("\n", "\r\n"), False),
            ("policies/scope.yaml", SCOPE.replace("shop", "shop ").replace("\n", "\r\n"), True),
            ("policies/scope.yaml", None, True),
            ("policies/untracked.yaml", LOCK, True),
            ("policies/secret.yaml", LOCK, True),
            ("policies/.hidden.yaml", LOCK, False),
            ("policies/notes.txt", "Not a policy.", False),
            ("README.md", "Something else.", False),
        ],
    )
    def test_files(self, name: str, content: str | None, dirty: bool, history: History) -> None:
        history.commit({**POLICIES, ".gitignore": "secret.yaml\n"})
        path = history.root / name
        path.unlink() if content is None else path.write_bytes(content.encode())
        with around() as repository:
            assert repository.dirty() is dirty

    def test_a_file_renamed_or_made_executable(self, history: History) -> None:
        history.commit(POLICIES)
        scope = history.root / "policies" / "scope.yaml"
        scope.chmod(0o755)
        with around() as repository:
            assert not repository.dirty()
        scope.rename(scope.with_name("scopes.yaml"))
        with around() as repository:
            assert repository.dirty()

    def test_policies_that_were_never_committed(self, history: History) -> None:
        history.commit({"README.md": "An estate."})
        (history.root / "policies").mkdir()
        (history.root / "policies" / "scope.yaml").write_text(SCOPE)
        with around() as repository:
            assert repository.dirty()
            assert repository.at(repository.head).note == "no policies there"

    def test_line_ends_do_not_change_the_digest(self, history: History, kinds: Kinds, today: dt.date) -> None:
        history.commit(POLICIES)
        digest = validate([HERE], today, kinds).digest
        for path in HERE.rglob("*.y*ml"):
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        assert validate([HERE], today, kinds).digest == digest


def test_outside_of_git(tmp_path: Path) -> None:
    assert Repository.around([tmp_path / "policies"]) is None


def test_commands_start_without_git(tmp_path: Path) -> None:
    commands = Path(__file__).parents[3] / "reconciler" / "cli"
    modules = ", ".join(f"reconciler.cli.{path.stem}" for path in commands.glob("[!_]*.py"))
    code = f"import sys, {modules}, reconciler.workflow; print('dulwich' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(commands.parents[1])}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.strip() == "False"
