"""Policies that lay elsewhere at the base: the one folder is found by what its files say, and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.desired.git.repository import Repository
from reconciler.desired.git.revision import RevisionError
from tests.desired.history import History

SCOPE = "# The estate.\napiVersion: reconciler/v1\nkind: Scope\nname: shop\n"
LOCK = '---\n"apiVersion": "reconciler/v1"\n"kind": Lock\n'
FLOW = "{apiVersion: reconciler/v1, kind: Lock}\n"
CHART = "apiVersion: v2\nkind: Scope\nname: chart\n"


def at(commit: str, *paths: str) -> tuple[list[str], str]:
    repository = Repository.around([Path(path) for path in paths or ("policies",)])
    assert repository
    with repository:
        revision = repository.at(commit)
        return [file.name for file in revision.files], revision.note


def test_the_folder_was_elsewhere(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    before = history.commit(
        {
            "infra/protection/scope.yaml": SCOPE,
            "infra/protection/doors/front/lock.yml": LOCK,
            "infra/protection/doors/back.YAML": FLOW,
            "infra/protection/.draft.yaml": LOCK,
            "infra/protection/notes.md": LOCK,
            "charts/Chart.yaml": CHART,
            "README.md": SCOPE,
        }
    )
    history.commit({"infra/protection/scope.yaml": None, "policies/scope.yaml": SCOPE})
    history.commit({"infra/protection/doors/front/lock.yml": None, "policies/doors/front/lock.yml": LOCK})
    history.commit({"infra/protection/doors/back.YAML": None, "policies/doors/back.YAML": FLOW})
    files = [f"infra/protection/{name}" for name in ("doors/back.YAML", "doors/front/lock.yml", "scope.yaml")]
    assert at(before) == (files, "policies lay in infra/protection there")
    monkeypatch.chdir("policies")
    assert at(before, ".") == ([f"../{name}" for name in files], "policies lay in infra/protection there")


def test_they_lay_at_the_top(history: History) -> None:
    before = history.commit({"scope.yaml": SCOPE, "lock.yaml": LOCK})
    history.commit({"scope.yaml": None, "lock.yaml": None, "policies/scope.yaml": SCOPE, "policies/lock.yaml": LOCK})
    assert at(before) == (["lock.yaml", "scope.yaml"], "policies lay in . there")


def test_a_single_file_was_elsewhere(history: History) -> None:
    before = history.commit({"old/protection.yaml": SCOPE + "---\n" + LOCK, "old/other.yaml": CHART})
    history.commit({"old/protection.yaml": None, "policies.yaml": SCOPE + "---\n" + LOCK})
    assert at(before, "policies.yaml") == (["old/protection.yaml"], "policies lay in old/protection.yaml there")


def test_a_file_became_a_folder(history: History) -> None:
    before = history.commit({"policies": SCOPE})
    history.commit({"policies": None, "policies/scope.yaml": SCOPE})
    assert at(before) == (["policies"], "")


def test_there_were_none(history: History) -> None:
    before = history.commit({"charts/Chart.yaml": CHART, "README.md": SCOPE})
    history.commit({"policies/scope.yaml": SCOPE})
    assert at(before) == ([], "no policies there")


def test_a_move_that_is_not_committed_yet(history: History) -> None:
    before = history.commit({"old/scope.yaml": SCOPE, "old/lock.yaml": LOCK})
    (history.root / "old").rename(history.root / "policies")
    assert at(before) == (["old/lock.yaml", "old/scope.yaml"], "policies lay in old there")


def test_policies_that_others_still_have_are_not_ours(history: History) -> None:
    before = history.commit({"prod/scope.yaml": SCOPE, "test/scope.yaml": SCOPE + "#\n", "test/lock.yaml": LOCK})
    history.commit({"prod/scope.yaml": None, "envs/prod/scope.yaml": SCOPE})
    assert at(before, "envs/prod") == (["prod/scope.yaml"], "policies lay in prod/scope.yaml there")
    history.commit({"envs/new/scope.yaml": SCOPE, "prod/scope.yaml": SCOPE})
    assert at(before, "envs/new") == ([], "no policies there")


def test_several_sets_that_moved_at_once(history: History) -> None:
    before = history.commit({"prod/scope.yaml": SCOPE, "test/scope.yaml": SCOPE + "#\n"})
    history.commit({"prod/scope.yaml": None, "test/scope.yaml": None, "envs/prod/scope.yaml": SCOPE})
    with pytest.raises(RevisionError) as caught:
        at(before, "envs/prod")
    assert caught.value.message.endswith("cannot be told: several have moved")
    assert caught.value.why == "there is a Scope in prod/scope.yaml, test/scope.yaml"
    assert "--base none" in caught.value.advice


def test_a_link_that_is_new_leads_to_policies_that_are_not(history: History) -> None:
    before = history.commit({"shared/scope.yaml": SCOPE})
    history.commit({"policies": history.link("shared")})
    assert at(before) == (["shared/scope.yaml"], "policies lay in shared/scope.yaml there")
    assert at(history.head) == (["policies/scope.yaml"], "")
