"""Rules of `replication:`, refused and accepted: cases/replicated_vm/rules.yaml."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.kinds.replicated_vm.machine_rules import MACHINE_RULES
from reconciler.kinds.replicated_vm.rules import check_replication
from reconciler.model.machine import OsType
from reconciler.model.replication import Replication
from reconciler.plan.finding import Finding, Severity
from tests.kinds.replicated_vm.conftest import ROUTE, ZONE_ROUTE, Estate, disks_of, machine

FILE = yaml.safe_load((Path(__file__).parents[2] / "cases" / "replicated_vm" / "rules.yaml").read_text())
VERDICTS = ("accepted", "refused")


def examples(chapter: str) -> list[Any]:
    return [
        pytest.param(case, verdict, example, id=f"{case['rule']}-{number}-{verdict}-{index}")
        for number, case in enumerate(FILE[chapter])
        for verdict in VERDICTS
        for index, example in enumerate(case[verdict])
    ]


def judge(case: dict[str, Any], verdict: str, found: list[Finding], estate: Estate) -> None:
    severity = Severity(case.get("severity", "error"))
    where = estate.protection().at(*case["at"])
    same = [one for one in found if (one.code, one.severity, one.source) == (case["rule"], severity, where)]
    assert bool(same) == (verdict == "refused"), found
    assert all(one.advice for one in same)


@pytest.mark.parametrize(("case", "verdict", "example"), examples("offline"))
def test_offline(case: dict[str, Any], verdict: str, example: dict[str, Any], estate: Estate) -> None:
    aspect = msgspec.convert(example, Replication)
    judge(case, verdict, list(check_replication(estate.protection(), aspect, estate.declared())), estate)


def test_a_route_is_needed_at_all(estate: Estate) -> None:
    estate.routes = {}
    aspect = msgspec.convert({"targetRegion": "northeurope"}, Replication)
    (found,) = check_replication(estate.protection(), aspect, estate.declared())
    assert (found.code, found.severity) == ("ASR-10", Severity.ERROR)
    assert "no ReplicationRoute is declared" in found.message


@pytest.mark.parametrize(("case", "verdict", "example"), examples("machine"))
def test_with_the_machine(case: dict[str, Any], verdict: str, example: dict[str, Any], estate: Estate) -> None:
    facts: dict[str, Any] = {**example.get("vm", {})}
    if "os_type" in facts:
        facts["os_type"] = OsType(facts["os_type"])
    if "zones" in facts:
        facts["zones"] = tuple(facts["zones"])
    said = example.get("disks", [{}])
    vm = machine(disks=example.get("data_disks", len(said) - 1) + 1, **facts)
    estate.disks.extend(disks_of(vm, *said))
    gone = example.get("unmanaged", [])
    left = tuple(one for one in vm.disks if ("os" if one.lun is None else one.lun) not in gone)
    estate.machines.append(dataclasses.replace(vm, disks=left))
    estate.routes = {"weu-neu": ROUTE, "zone-2": ZONE_ROUTE}
    aspect = example.get("aspect", {})
    estate.aspect = aspect if "route" in aspect else {"targetRegion": "northeurope", **aspect}
    resources, found = estate.expand()
    judge(case, verdict, found, estate)
    if verdict == "refused":
        assert bool(resources) == (case.get("severity") == "doubt")


def test_every_rule_of_machines_has_examples() -> None:
    assert {rule.id for rule in MACHINE_RULES} <= {case["rule"] for case in FILE["machine"]}


def test_no_route_is_told_once_for_all_vms_with_the_routes_there_are(estate: Estate) -> None:
    for number in range(5):
        estate.add(machine(f"fr-{number}", location="francecentral"))
    resources, found = estate.expand()
    assert resources == {}
    (only,) = found
    assert only.message == (
        "Protection web, fr-0, fr-1, fr-2 and 2 more VMs: no ReplicationRoute goes from francecentral to northeurope; "
        "there are weu-neu (westeurope to northeurope)"
    )


def test_of_several_routes_one_is_to_be_named(estate: Estate) -> None:
    estate.routes = {"one": ROUTE, "two": {**ROUTE, "targetResourceGroup": "rg-other"}}
    estate.add(machine())
    (found,) = estate.expand()[1]
    assert "one, two" in found.message
    assert found.advice == "name one: replication.route"
    estate.aspect = {"route": "two"}
    ((only,), nothing) = (list(values) for values in (estate.expand()[0].values(), estate.expand()[1]))
    assert only.spec.target_resource_group.endswith("/rg-other")  # type: ignore[attr-defined]
    assert nothing == []


@pytest.mark.parametrize(("count", "location", "refused"), [(16, "westeurope", 0), (17, "westeurope", 17)])
def test_sixteen_vms_fail_over_as_one(count: int, location: str, refused: int, estate: Estate) -> None:
    estate.aspect = {"targetRegion": "northeurope", "multiVmGroup": "app"}
    for number in range(count):
        estate.add(machine(f"web-{number:02}", location=location))
    resources, found = estate.expand()
    assert len(resources) == count - refused
    assert [one.code for one in found] == (["ASR-40"] if refused else [])


def test_an_override_for_no_vm_is_told(estate: Estate) -> None:
    estate.aspect = {"targetRegion": "northeurope", "overrides": [{"vm": "web-01"}, {"vm": "wbe-02"}]}
    estate.add(machine())
    (found,) = estate.expand()[1]
    assert found.severity is Severity.WARNING
    assert "wbe-02" in found.message


@pytest.mark.parametrize("written", ["web-01", "RG-app/Web-01", "prod/rg-app/web-01", str(machine().arm_id).upper()])
def test_an_override_names_its_vm_in_every_way(written: str, estate: Estate) -> None:
    estate.aspect = {"targetRegion": "northeurope", "overrides": [{"vm": written, "targetSize": "Standard_D8s_v5"}]}
    estate.add(machine())
    estate.add(machine("web-011"))
    sizes = {address.name: one.spec.target_size for address, one in estate.expand()[0].items()}  # type: ignore[attr-defined]
    assert sizes == {"web-01": "Standard_D8s_v5", "web-011": ""}
