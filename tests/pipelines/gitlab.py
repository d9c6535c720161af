"""Runs our GitLab pipeline: its rules, variables and scripts for real. Only what is not ours has stand-ins: the clone,
Python and the registry, the token of the job, artefacts, and whoever clicks."""

from __future__ import annotations

import fnmatch
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.desired.history import History
from tests.pipelines.shell import Machine, Ran, clone
from tests.stories.conftest import REPOSITORY, Story

FILE = REPOSITORY / "pipelines" / "gitlab" / "reconciler.yml"
TOKEN = "glpat-verysecret"
_RESERVED = ("workflow", "stages", "variables", "include", "default")
_TERM = re.compile(r'\s*(\$\w+|"[^"]*")\s*(==|!=)\s*(\$\w+|"[^"]*")\s*(&&|$)')
_VARIABLE = re.compile(r"\$(\w+)")


def load() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def jobs_of(pipeline: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The jobs, each with what it extends."""
    names = [name for name in pipeline if name not in _RESERVED and not name.startswith(".")]
    return {name: _extended(pipeline, pipeline[name]) for name in names}


def holds(rule: Mapping[str, Any], variables: Mapping[str, str], changed: tuple[str, ...]) -> bool:
    """Whether a rule applies: its `if` and its `changes`. What else a rule may say is not understood."""
    assert rule.keys() <= {"if", "changes", "when", "allow_failure"}, rule
    patterns = [pattern.replace("**/", "") for pattern in rule.get("changes", ("*",))]
    among = any(fnmatch.fnmatch(name, pattern) for name in changed for pattern in patterns)
    return ("changes" not in rule or among) and _true(rule.get("if", ""), variables)


def _true(condition: str, variables: Mapping[str, str]) -> bool:
    at, found = 0, True
    while at < len(condition):
        term = _TERM.match(condition, at)
        assert term, f"not understood: {condition[at:]}"
        left, operator, right, _ = term.groups()
        one, other = (part.strip('"') if part.startswith('"') else variables.get(part[1:]) for part in (left, right))
        found = found and ((one == other) is (operator == "=="))
        at = term.end()
    return found


def _extended(pipeline: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    parent = _extended(pipeline, pipeline[job["extends"]]) if "extends" in job else {}
    return _merged(parent, {name: value for name, value in job.items() if name != "extends"})


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(one[name], value) if isinstance(value, dict) and isinstance(one.get(name), dict) else value
        for name, value in other.items()
    }
    return {**one, **both}


@dataclass(frozen=True)
class Event:
    """What started a pipeline: its predefined variables, the files that changed, and those set by hand."""

    commit: str
    variables: Mapping[str, str]
    changed: tuple[str, ...] = ()
    by_hand: Mapping[str, str] = field(default_factory=dict)


@dataclass
class GitLab:
    """A project with its variables; `protected` are those that only protected branches get."""

    story: Story
    origin: History
    api: str
    variables: Mapping[str, str]
    protected: Mapping[str, str] = field(default_factory=dict)
    click: Callable[[str, Path], bool] = lambda job, artefacts: True
    runs: int = 0

    def run(self, event: Event) -> dict[str, Job]:
        """The jobs that there were, by name."""
        self.runs += 1
        return _Pipeline(self, event, self.story.folder / f"pipeline-{self.runs}").jobs()


@dataclass
class Job:
    result: str = "success"
    ran: Ran | None = None
    dotenv: dict[str, str] = field(default_factory=dict)


class _Pipeline:
    def __init__(self, host: GitLab, event: Event, folder: Path) -> None:
        self.host, self.event, self.folder, self.told = host, event, folder, load()
        self.done: dict[str, Job] = {}
        self.artefacts = folder / "artefacts"
        self.artefacts.mkdir(parents=True)
        main = event.variables.get("CI_COMMIT_BRANCH") == "main"
        self.given = {
            **event.variables,
            "GITLAB_CI": "true",
            "CI_API_V4_URL": host.api,
            "CI_COMMIT_SHA": event.commit,
            "CI_DEFAULT_BRANCH": "main",
            "CI_PIPELINE_URL": "https://gitlab.example/acme/estate/-/pipelines/1",
        }
        self.settings = {**host.variables, **(host.protected if main else {}), **event.by_hand}

    def jobs(self) -> dict[str, Job]:
        if not any(holds(rule, self.given, ()) for rule in self.told["workflow"]["rules"]):
            return {}
        jobs = jobs_of(self.told)
        for name in sorted(jobs, key=lambda name: self.told["stages"].index(jobs[name]["stage"])):
            rule = next((rule for rule in jobs[name]["rules"] if holds(rule, self.given, self.event.changed)), None)
            if rule is not None:
                self.job(name, jobs[name], rule)
        return self.done

    def job(self, name: str, job: Mapping[str, Any], rule: Mapping[str, Any]) -> None:
        before = list(self.done) if "needs" not in job else list(job["needs"])
        if any(self.done[other].result != "success" for other in before):
            self.done[name] = Job("skipped")
            return
        if rule.get("when") == "manual" and not self.host.click(name, self.artefacts):
            self.done[name] = Job("manual")
            return
        machine = Machine.of(self.host.story, self.folder / name)
        workspace = self.folder / name / "workspace"
        workspace.mkdir()
        variables = self.variables(job, before)
        clone(self.host.origin, self.event.commit, workspace, depth=int(variables.get("GIT_DEPTH", "20")))
        for other in before:
            if (self.artefacts / other).exists():
                shutil.copytree(self.artefacts / other, workspace, dirs_exist_ok=True)
        script = "\n".join((*job["before_script"], *job["script"]))
        ran = machine.bash(name, script, variables, cwd=workspace, flags="-eo pipefail")
        self.done[name] = Job("failure" if ran.code else "success", ran, self.keep(name, job["artifacts"], workspace))

    def variables(self, job: Mapping[str, Any], before: list[str]) -> dict[str, str]:
        """Source: "CI/CD variable precedence": what a project sets goes before what the file says."""
        dotenv = {name: value for other in before for name, value in self.done[other].dotenv.items()}
        tokens = {name: f"jwt-for-{told['aud']}" for name, told in job.get("id_tokens", {}).items()}
        file = {**self.told["variables"], **job.get("variables", {})}
        found = {**self.given, **file, **dotenv, **self.settings, **tokens}
        return {name: _VARIABLE.sub(lambda match: found.get(match[1], ""), value) for name, value in found.items()}

    def keep(self, name: str, artifacts: Mapping[str, Any], workspace: Path) -> dict[str, str]:
        for path in artifacts["paths"]:
            if (workspace / path).exists():
                shutil.copytree(workspace / path, self.artefacts / name / path)
        dotenv = workspace / artifacts["reports"].get("dotenv", "none")
        lines = dotenv.read_text().splitlines() if dotenv.is_file() else []
        return dict(line.split("=", 1) for line in lines)
