"""Generated estates: the same for a seed, within Azure's limits, and loadable."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
import yaml

from reconciler.emulator import estate as estates
from reconciler.emulator.emulator import Emulator
from reconciler.emulator.generate import Generation, generate, policy_of
from reconciler.emulator.generate_policies import write_policies


def test_same_seed_same_estate():
    assert generate(Generation(vms=300, seed=5)) == generate(Generation(vms=300, seed=5))
    assert generate(Generation(vms=300, seed=5)) != generate(Generation(vms=300, seed=6))


@pytest.mark.parametrize("vms", [0, 1, 250, 1_200])
def test_loads(vms):
    wanted = Generation(vms=vms, vms_per_subscription=500, items_per_vault=100)
    world = Emulator(estate=generate(wanted)).world
    assert world.store.count("Microsoft.Compute/virtualMachines") == vms
    assert world.store.count("Microsoft.Resources/subscriptions") == max(1, -(-vms // 500))


def test_vaults_stay_within_their_limit_and_region():
    estate = generate(Generation(vms=2_000, seed=3, items_per_vault=150))
    places = {(g["subscription"], g["name"]): g["location"] for g in estate["resourceGroups"]}
    for vault in estate["backup"]["vaults"]:
        assert len(vault["items"]) <= 150
        groups = {item["vm"].split("/")[0] for item in vault["items"]}
        assert {places[(vault["subscription"], group)] for group in groups} <= {vault["location"]}
    protected = Counter(item["vm"] for vault in estate["backup"]["vaults"] for item in vault["items"])
    assert max(protected.values()) == 1
    assert 0.85 < len(protected) / 2_000 < 0.95


def test_every_machine_has_the_policy_of_its_tags():
    estate = generate(Generation(vms=500, protected=1.0))
    meant = {
        f"{vm['resourceGroup']}/{vm['name']}": policy_of(vm["tags"]["env"], vm["tags"]["tier"])
        for vm in estate["virtualMachines"]
    }
    assert meant == {item["vm"]: item["policy"] for vault in estate["backup"]["vaults"] for item in vault["items"]}


@pytest.mark.parametrize("wrong", [{"vms": -1}, {"vms": 1, "protected": 2}, {"vms": 1, "itemsPerVault": 2_000}])
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="vms is 0 or more"):
        msgspec.convert(wrong, Generation)


def test_policies_describe_the_estate(tmp_path):
    wanted = Generation(vms=400, seed=2, items_per_vault=50)
    documents = [d for path in write_policies(tmp_path, wanted) for d in yaml.safe_load_all(path.read_text())]
    kinds = Counter(document["kind"] for document in documents)
    assert (kinds["Scope"], kinds["BackupPolicy"], kinds["Protection"]) == (1, 3, 3)
    vaults = {document["name"] for document in documents if document["kind"] == "Vault"}
    assert vaults == {vault["name"] for vault in generate(wanted)["backup"]["vaults"]}


def test_sample_estate_is_what_its_header_promises():
    world = Emulator(estate=estates.read(estates.SAMPLE)).world
    machines = world.store.list("Microsoft.Compute/virtualMachines")
    assert len(machines) == 40
    assert {m["location"] for m in machines} == {"westeurope", "northeurope", "eastus2"}
    assert {m["properties"]["storageProfile"]["osDisk"]["osType"] for m in machines} == {"Linux", "Windows"}
    twins = [
        m["id"].split("/")[2]
        for m in machines
        if m["id"].lower().endswith("/rg-mgmt/providers/microsoft.compute/virtualmachines/jump-01")
    ]
    assert len(twins) == len(set(twins)) == 2
    assert any("RG-LEGACY-DÜSSELDORF" in m["id"] for m in machines)
    vaults = {vault["name"] for vault in world.store.list("Microsoft.RecoveryServices/vaults")}
    assert vaults == {"rsv-prod-weu", "rsv-prod-neu", "rsv-prod-eus2", "rsv-dev-weu", "rsv-dba-team"}
