"""Runs our GitHub workflows: their conditions, steps and scripts for real, in a fresh folder a job. Only what is not
ours has stand-ins: checkout, Python and the registry, the sign-in, artefacts, code scanning, and whoever approves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.desired.history import History
from tests.pipelines.expressions import Expression, bare, fill_in
from tests.pipelines.shell import Machine, Ran, clone
from tests.stories.conftest import REPOSITORY, Story

TOKEN = "ghs_verysecret"
WORKFLOWS = REPOSITORY / "pipelines" / "github"
_STATUS = ("success", "failure", "cancelled", "always")
Approve = Callable[[str, Path], bool]
"""Asked for an environment by name, with the folder of all artefacts; answers whether it may go on."""


def load(path: Path) -> dict[str, Any]:
    """A workflow; `on` is a word of YAML 1.1 for true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in found.items()}


@dataclass(frozen=True)
class Event:
    """What started a workflow. `commit` is what is checked out."""

    name: str
    ref: str
    commit: str
    base_ref: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """How a job went: success, failure or skipped."""

    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    machine: Machine | None = None
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    summary: str = ""

    @property
    def ran(self) -> list[Ran]:
        return self.machine.ran if self.machine else []

    @property
    def told(self) -> str:
        return "".join(ran.out for ran in self.ran)


@dataclass
class GitHub:
    """A repository with its settings, and all that its workflows have left behind."""

    story: Story
    origin: History
    api: str
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    approve: Approve = lambda environment, artefacts: True
    alerts: dict[str, Any] = field(default_factory=dict)
    runs: int = 0

    def run(self, workflow: str, event: Event) -> dict[str, Job]:
        """Runs one of our workflows; the jobs by name."""
        self.runs += 1
        return _Run(self, load(WORKFLOWS / workflow), event, self.story.folder / f"run-{self.runs}").jobs()

    def artefact(self, name: str) -> Path:
        """What the last run uploaded under that name."""
        return self.story.folder / f"run-{self.runs}" / "artefacts" / name


class _Run:
    def __init__(self, host: GitHub, workflow: Mapping[str, Any], event: Event, folder: Path) -> None:
        self.host, self.workflow, self.event, self.folder = host, workflow, event, folder
        self.done: dict[str, Job] = {}
        self.artefacts = folder / "artefacts"
        self.artefacts.mkdir(parents=True)
        (folder / "event.json").write_text(json.dumps(event.payload))
        self.github = {
            "event": event.payload,
            "event_name": event.name,
            "ref": event.ref,
            "base_ref": event.base_ref,
            "repository": "acme/estate",
            "token": TOKEN,
        }

    def jobs(self) -> dict[str, Job]:
        for name, told in self.workflow["jobs"].items():
            self.done[name] = _JobRun(self, name, told).job()
        return self.done

    def environment(self) -> dict[str, str]:
        """Source: "Variables reference" of GitHub Actions."""
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.host.api,
            "GITHUB_BASE_REF": self.event.base_ref,
            "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REF": self.event.ref,
            "GITHUB_REPOSITORY": "acme/estate",
            "GITHUB_RUN_ID": str(self.host.runs),
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": self.event.commit,
        }


class _JobRun:
    def __init__(self, run: _Run, name: str, told: Mapping[str, Any]) -> None:
        self.run, self.name, self.told = run, name, told
        self.result = Job()
        self.steps: dict[str, Any] = {}
        self.failed = False
        self.paths: list[str] = []

    def job(self) -> Job:
        needs = self.told.get("needs", [])
        needed = [needs] if isinstance(needs, str) else needs
        self.names: dict[str, Any] = {
            "github": self.run.github,
            "vars": self.run.host.variables,
            "secrets": self.run.host.secrets,
            "inputs": self.run.event.inputs,
            "needs": {name: {"outputs": self.run.done[name].outputs} for name in needed},
        }
        if any(self.run.done[name].result != "success" for name in needed) or not self.holds(self.told.get("if")):
            return self.result
        if "environment" in self.told and not self.run.host.approve(self.told["environment"], self.run.artefacts):
            self.result.result = "failure"
            return self.result
        folder = self.run.folder / self.name
        self.result.machine = self.machine = Machine.of(self.run.host.story, folder)
        self.workspace, self.temp = folder / "workspace", folder / "temp"
        self.workspace.mkdir()
        self.temp.mkdir()
        shared = {**self.run.environment(), "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temp)}
        declared = {**self.run.workflow.get("env", {}), **self.told.get("env", {})}
        self.walk(self.told["steps"], self.names, self.steps, {**shared, **self.filled(declared, self.names)})
        self.result.result = "failure" if self.failed else "success"
        outputs = {**self.names, "steps": self.steps}
        self.result.outputs = self.filled(self.told.get("outputs", {}), outputs)
        return self.result

    def walk(
        self, steps: list[dict[str, Any]], names: Mapping[str, Any], known: dict[str, Any], environment: dict[str, str]
    ) -> None:
        """`known` are the outputs of the steps so far, by id."""
        for step in steps:
            here = {**names, "steps": known}
            if not self.holds(step.get("if"), here):
                continue
            own = {**environment, **self.filled(step.get("env", {}), here)}
            outputs, fine = self.uses(step, here, own) if "uses" in step else self.script(step, here, own)
            if "id" in step:
                known[step["id"]] = {"outputs": outputs}
            self.failed |= not fine and not step.get("continue-on-error", False)

    def script(
        self, step: Mapping[str, Any], names: Mapping[str, Any], environment: Mapping[str, str]
    ) -> tuple[dict[str, str], bool]:
        files = {name: self.temp / f"{len(self.machine.ran)}-{name}" for name in ("output", "path", "step_summary")}
        for file in files.values():
            file.touch()
        told = {f"GITHUB_{name.upper()}": str(file) for name, file in files.items()}
        path = ":".join((*reversed(self.paths), self.machine.variables["PATH"]))
        flags = "-eo pipefail" if step.get("shell") == "bash" else "-e"
        text = fill_in(step["run"], lambda inside: self.value(inside, names))
        ran = self.machine.bash(
            step.get("name", text), text, {**environment, **told, "PATH": path}, cwd=self.workspace, flags=flags
        )
        self.paths += files["path"].read_text().splitlines()
        self.result.summary += files["step_summary"].read_text(encoding="utf-8")
        return dict(line.split("=", 1) for line in files["output"].read_text().splitlines()), ran.code == 0

    def uses(
        self, step: Mapping[str, Any], names: Mapping[str, Any], environment: dict[str, str]
    ) -> tuple[dict[str, str], bool]:
        action = step["uses"].partition("@")[0]
        given = self.filled(step.get("with", {}), names)
        self.result.used.append((action, given))
        if action == "reconciler/reconciler":
            return self.composite(given, environment)
        stand_in = {
            "actions/checkout": self.check_out,
            "actions/setup-python": lambda given: None,
            "azure/login": self.sign_in,
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
            "github/codeql-action/upload-sarif": self.scan,
        }[action]
        stand_in(given)
        return {}, True

    def composite(self, given: Mapping[str, str], environment: dict[str, str]) -> tuple[dict[str, str], bool]:
        action = load(REPOSITORY / "action.yml")
        unknown = given.keys() - action["inputs"].keys()
        assert not unknown, f"action.yml has no input {unknown}"
        inputs = {name: given.get(name, str(told.get("default", ""))) for name, told in action["inputs"].items()}
        missing = [name for name, told in action["inputs"].items() if told.get("required") and not inputs[name]]
        assert not missing, f"not given: {missing}"
        known: dict[str, Any] = {}
        before, self.failed = self.failed, False
        own = {**environment, "GITHUB_ACTION_PATH": str(REPOSITORY)}
        self.walk(action["runs"]["steps"], {"inputs": inputs}, known, own)
        fine, self.failed = not self.failed, before
        values = {name: told["value"] for name, told in action["outputs"].items()}
        return self.filled(values, {"steps": known}), fine

    def check_out(self, given: Mapping[str, str]) -> None:
        assert given["persist-credentials"] == "false", "the token would lie in the workspace"
        clone(self.run.host.origin, self.run.event.commit, self.workspace, depth=int(given.get("fetch-depth", "1")))

    def sign_in(self, given: Mapping[str, str]) -> None:
        assert self.told["permissions"].get("id-token") == "write"
        assert given["client-id"]
        assert given["tenant-id"]

    def upload(self, given: Mapping[str, str]) -> None:
        found, target = self.workspace / given["path"], self.run.artefacts / given["name"]
        if found.exists():
            shutil.copytree(found, target)

    def download(self, given: Mapping[str, str]) -> None:
        shutil.copytree(self.run.artefacts / given["name"], self.workspace / given["path"])

    def scan(self, given: Mapping[str, str]) -> None:
        assert self.told["permissions"].get("security-events") == "write"
        found = json.loads((self.workspace / given["sarif_file"]).read_text(encoding="utf-8"))
        self.run.host.alerts[found["runs"][0]["automationDetails"]["id"]] = found["runs"][0]["results"]

    def holds(self, condition: str | None, names: Mapping[str, Any] | None = None) -> bool:
        if condition is None:
            return not self.failed
        inside = bare(str(condition))
        asks = any(f"{word}(" in inside for word in _STATUS)
        return (asks or not self.failed) and bool(self.value(inside, self.names if names is None else names))

    def value(self, inside: str, names: Mapping[str, Any]) -> Any:
        functions = {"cancelled": lambda: False, "success": lambda: not self.failed, "failure": lambda: self.failed}
        return Expression(inside, names, functions).value()

    def filled(self, texts: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, str]:
        spelled = {name: str(text).lower() if isinstance(text, bool) else str(text) for name, text in texts.items()}
        return {name: fill_in(text, lambda inside: self.value(inside, names)) for name, text in spelled.items()}
