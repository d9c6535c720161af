"""Cloud Custodian reads the estate and asks Backup itself which machines are protected: before our apply, and after."""

from __future__ import annotations

import json

import pytest
import yaml

CLIENT = "custodian"
STATUS = {"type": "backup-status", "op": "eq", "key": "protectionStatus"}


@pytest.fixture(scope="module")
def way() -> str:
    """It knows Microsoft's own clouds only."""
    return "proxy"


def found_by(custodian, resource: str, *filters: dict, actions: tuple[dict, ...] = ()) -> list[dict]:
    """The resources that a policy of one rule matches."""
    policy = {"name": "conformance", "resource": resource, "filters": list(filters), "actions": list(actions)}
    (custodian.folder / "policy.yml").write_text(yaml.safe_dump({"policies": [policy]}), encoding="utf-8")
    custodian.tell("run", "--cache-period", "0", "--output-dir", "out", "policy.yml")
    text = (custodian.folder / "out" / "conformance" / "resources.json").read_text(encoding="utf-8")
    return list(json.loads(text))


def names(resources: list[dict]) -> list[str]:
    return sorted(one["name"] for one in resources)


def in_power_state(state: str) -> dict:
    swapped = {"op": "in", "value_type": "swap", "value": f"PowerState/{state}"}
    return {"type": "instance-view", "key": "statuses[].code", **swapped}


def test_azure_vm(custodian):
    machines = found_by(custodian, "azure.vm")
    assert names(machines) == ["APP-02", "app-01", "app-03", "north-01"]
    assert {one["resourceGroup"].lower() for one in machines} == {"rg-app", "rg-north"}


def test_azure_vm_filters(custodian):
    assert names(found_by(custodian, "azure.vm", {"tag:env": "prod"})) == ["APP-02", "app-01", "north-01"]
    assert names(found_by(custodian, "azure.vm", in_power_state("running"))) == ["APP-02", "app-01", "north-01"]


def test_azure_disk(custodian):
    assert len(found_by(custodian, "azure.disk")) == 6


def test_azure_snapshot(custodian, emulator, subscription):
    assert found_by(custodian, "azure.snapshot") == []
    group = f"/subscriptions/{subscription}/resourceGroups/rg-App/providers/Microsoft.Compute"
    disk = found_by(custodian, "azure.disk", {"type": "value", "key": "location", "value": "westeurope"})[0]
    creation = {"createOption": "Copy", "sourceResourceId": disk["id"]}
    body = {"location": "westeurope", "properties": {"creationData": creation, "incremental": True}}
    emulator("arm", "PUT", f"{group}/snapshots/snap?api-version=2026-03-02", "--body", json.dumps(body))
    emulator("advance", "1m")
    (snapshot,) = found_by(custodian, "azure.snapshot")
    assert snapshot["name"] == "snap"
    assert snapshot["properties"]["incremental"] is True


def test_azure_snapshot_filters(custodian, emulator):
    emulator("advance", "3d")
    age = {"type": "value", "key": "properties.timeCreated", "value_type": "age", "op": "gt"}
    of_disk = {"type": "value", "key": "properties.creationData.createOption", "value": "Copy"}
    assert names(found_by(custodian, "azure.snapshot", of_disk)) == ["snap"]
    assert found_by(custodian, "azure.snapshot", {**age, "value": 30}) == []
    assert found_by(custodian, "azure.snapshot", {"tag:made": "by-nobody"}) == []


def test_action_tag(custodian):
    only = {"type": "value", "key": "name", "value": "app-03"}
    found_by(custodian, "azure.vm", only, actions=({"type": "tag", "tag": "seen", "value": "yes"},))
    assert names(found_by(custodian, "azure.vm", {"tag:seen": "yes"})) == ["app-03"]


def test_action_stop(custodian):
    only = {"type": "value", "key": "name", "value": "north-01"}
    found_by(custodian, "azure.vm", only, actions=({"type": "stop"},))
    assert names(found_by(custodian, "azure.vm", in_power_state("deallocated"))) == ["app-03", "north-01"]


def test_nothing_is_protected_before_apply(custodian):
    assert found_by(custodian, "azure.recovery-services") == []
    assert found_by(custodian, "azure.vm", {**STATUS, "value": "Protected"}) == []
    unprotected = found_by(custodian, "azure.vm", {**STATUS, "value": "NotProtected"})
    assert names(unprotected) == ["APP-02", "app-01", "app-03", "north-01"]


def test_azure_recovery_services_after_apply(custodian, ours):
    ours.tell("apply", "--auto-approve")
    (vault,) = found_by(custodian, "azure.recovery-services")
    tags = {name: text for name, text in vault["tags"].items() if not name.startswith("reconciler-")}  # the stamp's own
    assert (vault["name"], vault["location"], tags) == ("rsv-weu", "westeurope", {"owner": "platform"})


def test_what_we_applied_is_reported_as_protected(custodian):
    assert names(found_by(custodian, "azure.vm", {**STATUS, "value": "Protected"})) == ["APP-02", "app-01"]
    assert names(found_by(custodian, "azure.vm", {**STATUS, "value": "NotProtected"})) == ["app-03", "north-01"]
