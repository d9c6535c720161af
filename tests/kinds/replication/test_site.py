"""What routes name is read from the estate, once each; what is not there is None, what cannot be read is a gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.kinds.replication.site import read_site
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.replication_site import CacheAccount, VirtualNetwork
from tests.kinds.replication.conftest import CACHE, FAR, NEAR, POLICY, ROUTE, VAULT, plan_for
from tests.kinds.replication.test_emulated import no_pause

Declare = Callable[..., Declared]
ACCOUNT, NETWORK = ArmId(CACHE), ArmId(NEAR)


async def test_accounts_and_networks_in_our_words(emulated: Any, site: dict[str, Any], declared_of: Declare) -> None:
    async with emulated(site, pause=no_pause) as (_, azure):
        closed = {"properties": {"allowSharedKeyAccess": False, "networkAcls": {"defaultAction": "Deny"}}}
        await azure.send("PATCH", CACHE, "2024-01-01", closed)
        found, gaps = await read_site(azure, declared_of(VAULT, POLICY, {**ROUTE, "testNetwork": f"{FAR}-gone"}))
    assert gaps == []
    assert found.accounts == {
        ACCOUNT: CacheAccount(ACCOUNT, "westeurope", "StorageV2", "Standard_LRS", shared_key=False, open_to_azure=False)
    }
    assert found.networks == {
        NETWORK: VirtualNetwork(NETWORK, "westeurope", ("apps",)),
        ArmId(FAR): VirtualNetwork(ArmId(FAR), "northeurope", ("apps",)),
        ArmId(f"{FAR}-gone"): None,
    }


async def test_what_may_not_be_read_is_a_gap_and_no_error(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    async with emulated(site, pause=no_pause) as (served, azure):
        served.emulator.world.faults.add({"method": "GET", "path": "*/storageAccounts/*", "status": 403})
        plan = await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))
    assert plan.errors == ()
    assert not plan.complete
    assert any("cache account cacheweu" in finding.message for finding in plan.findings)


async def test_a_subnet_that_is_missing_on_one_side_is_told(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    route = {**ROUTE, "networks": [{"from": NEAR, "to": FAR, "subnets": {"apps": "web"}}]}
    async with emulated(site, pause=no_pause) as (_, azure):
        plan = await plan_for(azure, declared_of(VAULT, POLICY, route))
    (found,) = plan.errors
    assert found.code == "ASR-14"
    assert "vnet-neu has no subnet 'web'" in found.message
    assert found.advice == "write one of its subnets: apps"


async def test_each_thing_is_read_once_however_many_routes_name_it(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    second = {**ROUTE, "name": "another", "targetResourceGroup": "rg-app"}
    async with emulated(site, pause=no_pause) as (served, azure):
        await plan_for(azure, declared_of(VAULT, POLICY, ROUTE, second))
        paths = [request.path.lower() for request in served.emulator.log.recent()]
    named = [path for path in paths if "storageaccounts" in path or "virtualnetworks" in path]
    assert len(named) == len(set(named)) == 4
