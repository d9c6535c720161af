"""Runs our Azure pipelines: conditions, variables and scripts for real. Only what is not ours has stand-ins: checkout,
Python and the registry, the service connection, artefacts, test results, and the checks of an environment."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import yaml

from tests.desired.history import History
from tests.pipelines.shell import Machine, Ran, clone
from tests.stories.conftest import REPOSITORY, Story

FOLDER = REPOSITORY / "pipelines" / "azure-devops"
TOKEN = "ghs_verysecret"
_MACRO = re.compile(r"\$\(([\w.]+)\)")
_COMPILED = re.compile(r"\$\{\{ parameters\.(\w+) \}\}")
_COMMAND = re.compile(r"^##vso\[task\.(\w+)([^\]]*)\](.*)$", re.MULTILINE)
_WORD = re.compile(r"\s*(\w+)\(|\s*variables\['([\w.]+)'\]|\s*'([^']*)'")


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def compiled(told: Any, parameters: Mapping[str, str]) -> Any:
    """With its parameters in place and its templates opened."""
    if isinstance(told, dict):
        return {name: compiled(value, parameters) for name, value in told.items()}
    if isinstance(told, list):
        return [step for item in told for step in _opened(compiled(item, parameters))]
    return _COMPILED.sub(lambda match: parameters[match[1]], told) if isinstance(told, str) else told


def _opened(item: Any) -> list[Any]:
    if not isinstance(item, dict) or "template" not in item:
        return [item]
    template = load(item["template"])
    defaults = {one["name"]: one["default"] for one in template["parameters"]}
    return list(compiled(template["steps"], {**defaults, **item.get("parameters", {})}))


class Condition:
    """An expression of functions, variables and texts; anything else is an error."""

    def __init__(self, text: str, variables: Mapping[str, str], *, failed: bool) -> None:
        self.text, self.at, self.variables, self.failed = text, 0, variables, failed

    def value(self) -> Any:
        word = _WORD.match(self.text, self.at)
        assert word, f"not understood: {self.text[self.at :]}"
        self.at = word.end()
        name, variable, text = word.groups()
        if variable:
            return self.variables.get(variable, "")
        if text is not None:
            return text
        given = []
        while not self._take(")"):
            given.append(self.value())
            self._take(",")
        match name, given:
            case "eq", [one, other]:
                return one.lower() == other.lower()
            case "and", _:
                return all(given)
            case "succeeded", []:
                return not self.failed
            case "succeededOrFailed", []:
                return True
        raise AssertionError(f"not understood: {name}{given}")

    def _take(self, mark: str) -> bool:
        found = self.text[self.at :].lstrip().startswith(mark)
        if found:
            self.at = self.text.index(mark, self.at) + 1
        return found


@dataclass
class Job:
    result: str = "skipped"
    ran: list[Ran] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def told(self) -> str:
        return "".join(ran.out for ran in self.ran)


@dataclass
class AzureDevOps:
    """A project; `secrets` are the secret variables of its pipelines, which only reach a step that maps them."""

    story: Story
    origin: History
    api: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    approve: Callable[[str, Path], bool] = lambda environment, artefacts: True
    runs: int = 0

    def run(self, pipeline: str, commit: str, variables: Mapping[str, str], **parameters: str) -> dict[str, Job]:
        """The jobs by name."""
        self.runs += 1
        told = load(pipeline)
        defaults = {one["name"]: one["default"] for one in told["parameters"]}
        assert parameters.keys() <= defaults.keys()
        ready = compiled(told, {**defaults, **parameters})
        return _Build(self, ready, commit, variables, self.story.folder / f"build-{self.runs}").jobs()


class _Build:
    def __init__(
        self, host: AzureDevOps, told: Mapping[str, Any], commit: str, given: Mapping[str, str], folder: Path
    ) -> None:
        self.host, self.told, self.commit, self.folder = host, told, commit, folder
        self.artefacts = folder / "artefacts"
        self.artefacts.mkdir(parents=True)
        self.done: dict[str, Job] = {}
        self.variables = {
            **told.get("variables", {}),
            "Build.BuildId": str(host.runs),
            "Build.Repository.ID": "estate",
            "Build.Repository.Name": "estate",
            "Build.SourceVersion": commit,
            "System.CollectionUri": host.api,
            "System.JobAttempt": "1",
            "System.TeamProject": "Cloud Platform",
            "TF_BUILD": "True",
            **given,
        }

    def jobs(self) -> dict[str, Job]:
        failed = False
        for stage in self.told.get("stages", [self.told]):
            own = dict(self.variables)
            for name, value in stage.get("variables", {}).items() if "stage" in stage else ():
                own[name] = self.of_stage(value) if str(value).startswith("$[") else value
            goes_on = self.holds(stage.get("condition", "succeeded()"), own, failed=failed)
            for job in stage["jobs"]:
                name = job.get("job") or job["deployment"]
                self.done[name] = self.job(name, job, own) if goes_on else Job()
                failed |= self.done[name].result != "success"
        return self.done

    def of_stage(self, expression: str) -> str:
        """Of a job in a stage before: `stageDependencies.STAGE.JOB.outputs['STEP.NAME']`, "" where it has none."""
        match = re.fullmatch(r"\$\[ stageDependencies\.\w+\.(\w+)\.outputs\['([\w.]+)'\] \]", expression)
        assert match, f"not understood: {expression}"
        return self.done[match[1]].outputs.get(match[2], "")

    def holds(self, condition: str, variables: Mapping[str, str], *, failed: bool) -> bool:
        return bool(Condition(condition, variables, failed=failed).value())

    def job(self, name: str, told: Mapping[str, Any], variables: Mapping[str, str]) -> Job:
        if not self.holds(told.get("condition", "succeeded()"), variables, failed=False):
            return Job()
        if "environment" in told and not self.host.approve(told["environment"], self.artefacts):
            return Job("rejected")
        steps = told["steps"] if "steps" in told else told["strategy"]["runOnce"]["deploy"]["steps"]
        return _Run(self, name, variables).walk(steps)


class _Run:
    """One job on one machine."""

    def __init__(self, build: _Build, name: str, variables: Mapping[str, str]) -> None:
        self.build, self.result, self.failed = build, Job("success"), False
        self.workspace = build.folder / name
        self.machine = Machine.of(build.host.story, self.workspace)
        places = {"Build.ArtifactStagingDirectory": "a", "Agent.TempDirectory": "tmp", "Build.SourcesDirectory": "s"}
        for place in places.values():
            (self.workspace / place).mkdir()
        found = {variable: str(self.workspace / place) for variable, place in places.items()}
        self.variables = {**variables, **found, "Pipeline.Workspace": str(self.workspace)}

    def walk(self, steps: list[dict[str, Any]]) -> Job:
        for step in steps:
            if not self.build.holds(step.get("condition", "succeeded()"), self.variables, failed=self.failed):
                continue
            self.failed |= not self.step(step)
        self.result.result = "failure" if self.failed else "success"
        self.result.ran = self.machine.ran
        return self.result

    def step(self, step: Mapping[str, Any]) -> bool:
        kind = step.get("task") or next(iter(step))
        match kind:
            case "checkout":
                sources = Path(self.variables["Build.SourcesDirectory"])
                clone(self.build.host.origin, self.build.commit, sources, depth=int(step["fetchDepth"]))
            case "UsePythonVersion@0":
                pass
            case "bash":
                return self.bash(step, step["bash"])
            case "AzureCLI@2":
                self.result.connections.append(step["inputs"]["azureSubscription"])
                assert (step["inputs"]["scriptType"], step["inputs"]["scriptLocation"]) == ("bash", "inlineScript")
                return self.bash(step, step["inputs"]["inlineScript"])
            case "PublishTestResults@2":
                file = Path(self.filled(step["inputs"]["testResultsFiles"]))
                assert not file.exists() or ET.parse(file).getroot().tag == "testsuites"
            case "publish":
                target = self.build.artefacts / self.filled(step["artifact"])
                shutil.copytree(self.filled(step["publish"]), target)
            case "download":
                shutil.copytree(self.build.artefacts / step["artifact"], self.workspace / step["artifact"])
            case _:
                raise AssertionError(f"no stand-in for {kind}")
        return True

    def bash(self, step: Mapping[str, Any], script: str) -> bool:
        """A macro in the script would be put in as text: ours have none. The variables of the run are those of the
        step, too, in capitals; secret ones only where `env` maps them."""
        assert not _MACRO.search(script), script
        named = {name.upper().replace(".", "_"): value for name, value in self.variables.items()}
        own = {name: self.filled(value) for name, value in step.get("env", {}).items()}
        ran = self.machine.bash(
            step.get("displayName", script),
            script,
            {**named, "PATH": self.machine.variables["PATH"], **own},
            cwd=Path(self.filled(step.get("inputs", {}).get("workingDirectory", "$(Build.SourcesDirectory)"))),
        )
        for command, properties, value in _COMMAND.findall(ran.out):
            self.command(step, command, properties, value)
        return ran.code == 0

    def command(self, step: Mapping[str, Any], command: str, properties: str, value: str) -> None:
        told = dict(part.split("=", 1) for part in properties.strip().split(";") if part)
        match command:
            case "prependpath":
                self.machine.variables["PATH"] = f"{value}:{self.machine.variables['PATH']}"
            case "uploadsummary":
                self.result.summary += Path(value).read_text(encoding="utf-8")
            case "setvariable":
                assert told["isOutput"] == "true"
                self.result.outputs[f"{step['name']}.{told['variable']}"] = value
            case _:
                raise AssertionError(f"not understood: task.{command}")

    def filled(self, text: str) -> str:
        """With its macros; one of a variable that is not set stays as it is."""
        known = {**self.variables, **self.build.host.secrets, "System.AccessToken": TOKEN}
        return _MACRO.sub(lambda match: known.get(match[1], match[0]), text)
