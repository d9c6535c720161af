"""The kinds that only restores make: made once, under a free name, never changed, found again after a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.operations import wait
from reconciler.diff.engine import compare
from reconciler.errors import ConflictError, FailedError
from reconciler.kinds.base import Expansion, Rule, Situation
from reconciler.kinds.registry import by_name, kinds, restored_kinds
from reconciler.kinds.restoration import Place, RestoredKind
from reconciler.kinds.restored_disk import RestoredDiskSpec
from reconciler.kinds.restored_interface import InterfaceBody, RestoredInterfaceKind, RestoredInterfaceSpec
from reconciler.kinds.restored_machine import DataDisk, RestoredMachineSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.resource import Ref, Resource
from reconciler.plan.change import Action, Step
from reconciler.plan.finding import Severity
from reconciler.plan.graph import order
from reconciler.restore.wish import check_found
from tests.kinds.conftest import NOW, PROD

GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app/providers"
VNET = f"{GROUP}/Microsoft.Network/virtualNetworks/vnet-app"
MACHINE = f"{GROUP}/Microsoft.Compute/virtualMachines/back"
SNAPSHOT = Ref("snapshot.prod/rg-app/snap-os")


def resource(kind: str, name: str, provider: str, spec: Any) -> Resource:
    return Resource(Address(kind, "prod/rg-app", name), spec, ArmId(f"{GROUP}/{provider}/{name}"), "westeurope")


def disk(place: str) -> Resource:
    source = f"{GROUP}/Microsoft.Compute/snapshots/snap-{place}"
    spec = RestoredDiskSpec(
        source=Ref(f"snapshot.prod/rg-app/snap-{place}"),
        source_id=source,
        location="westeurope",
        sku="StandardSSD_LRS",
        size_gib=64,
        machine=MACHINE,
    )
    return resource("disk", f"back-{place}", "Microsoft.Compute/disks", spec)


INTERFACE = resource(
    "network_interface",
    "back-nic",
    "Microsoft.Network/networkInterfaces",
    RestoredInterfaceSpec(location="westeurope", subnet=f"{VNET}/subnets/app", machine=MACHINE),
)
VM = resource(
    "virtual_machine",
    "back",
    "Microsoft.Compute/virtualMachines",
    RestoredMachineSpec(
        location="westeurope",
        size="Standard_D2s_v5",
        os_type="Linux",
        os_disk=Ref("disk.prod/rg-app/back-os"),
        data_disks=(DataDisk(3, Ref("disk.prod/rg-app/back-3"), "ReadOnly"),),
        network_interface=Ref("network_interface.prod/rg-app/back-nic"),
    ),
)
WANTED = (disk("os"), disk("3"), INTERFACE, VM)


@pytest.fixture
def ready(estate: dict[str, Any]) -> dict[str, Any]:
    """A network, and two snapshots of disks."""
    group = {"subscription": "Prod", "name": "rg-app", "location": "westeurope"}
    vm = {
        "name": "app-01",
        "resourceGroup": "rg-app",
        "osDisk": {"sizeGB": 64, "name": "app-01-os"},
        "dataDisks": [{"sizeGB": 64, "lun": 3, "name": "app-01-3"}],
    }
    network = {"name": "vnet-app", "resourceGroup": "rg-app", "addressPrefixes": ["10.1.0.0/16"]}
    return {
        **estate,
        "resourceGroups": [*estate["resourceGroups"], group],
        "networks": [{**network, "subnets": {"app": "10.1.1.0/24"}}],
        "virtualMachines": [vm],
        "snapshots": [
            {"name": f"snap-{place}", "resourceGroup": "rg-app", "disk": f"rg-app/app-01-{place}"}
            for place in ("os", "3")
        ],
    }


def kind_of(item: Resource) -> RestoredKind[Any, Any]:
    return next(kind for kind in restored_kinds() if kind.name == item.address.kind)


async def steps_for(azure: Azure, declared: Declared) -> tuple[Step, ...]:
    """What a plan of all of it would do now."""
    there = [found for item in WANTED if (found := await kind_of(item).look(azure, item))]
    live = Live({item.address: item for item in there})
    plan = compare(Situation(declared, {item.address: item for item in WANTED}, live, NOW), restored_kinds())
    assert not plan.blocked, plan.blocked
    return order(plan.steps())


async def carry_out(azure: Azure, step: Step) -> None:
    kind = by_name()[step.kind]
    operation = await kind.perform(azure, step)
    if operation:
        await wait(azure, operation, limit=timedelta(hours=1))
    await kind.verify(azure, step)


def test_no_policy_declares_them_and_nothing_of_them_changes(declare: Callable[..., Declared]) -> None:
    for kind in restored_kinds():
        assert set(kind.rules) == set(kind.spec.__struct_fields__)
        assert set(kind.rules.values()) == {Rule.FORBID}
        assert list(kind.expand(Expansion(declare(), (), Live({}), frozenset(), NOW))) == []
        assert kind.name not in {other.name for other in kinds()}


def test_the_role_to_restore_covers_what_they_write_and_deletes_nothing() -> None:
    role = json.loads((Path(__file__).parents[3] / "docs" / "roles" / "restore.json").read_text(encoding="utf-8"))
    assert {kind.permission for kind in restored_kinds()} <= set(role["Actions"])
    assert not [action for action in role["Actions"] if action.endswith(("/delete", "/*"))]


async def test_they_are_made_in_order_and_then_there_is_nothing_to_do(
    emulated: Callable[..., Any], ready: dict[str, Any], declare: Callable[..., Declared]
) -> None:
    async with emulated(ready) as (_, azure):
        steps = await steps_for(azure, declare())
        assert [step.address for step in steps][-1] == str(VM.address), "a VM waits for all that it is made of"
        for step in steps:
            await carry_out(azure, step)
        assert await steps_for(azure, declare()) == ()


async def test_a_step_that_is_sent_twice_makes_one(
    emulated: Callable[..., Any], ready: dict[str, Any], declare: Callable[..., Declared]
) -> None:
    async with emulated(ready) as (_, azure):
        for step in await steps_for(azure, declare()):
            await carry_out(azure, step)
            assert await by_name()[step.kind].perform(azure, step) is None, "it is there, and nothing is sent"
            await by_name()[step.kind].verify(azure, step)


async def test_what_is_under_way_is_found(
    emulated: Callable[..., Any], ready: dict[str, Any], declare: Callable[..., Declared]
) -> None:
    async with emulated(ready) as (_, azure):
        for step in await steps_for(azure, declare()):
            kind = by_name()[step.kind]
            assert await kind.running(azure, step, NOW) is None
            operation = await kind.perform(azure, step)
            if operation is None:
                continue
            found = await kind.running(azure, step, NOW)
            assert found is not None
            await wait(azure, found, limit=timedelta(hours=1))
            await kind.verify(azure, step)


@pytest.mark.parametrize(
    ("item", "change"),
    [
        (WANTED[0], {"size_gib": 128}),
        (WANTED[0], {"source_id": f"{GROUP}/Microsoft.Compute/snapshots/snap-3"}),
        (WANTED[0], {"source_unique_id": "another"}),
        (WANTED[0], {"sku": "Premium_LRS"}),
        (WANTED[0], {"zone": "1"}),
        (INTERFACE, {"subnet": f"{VNET}/subnets/other"}),
        (VM, {"size": "Standard_D8s_v5"}),
        (VM, {"data_disks": ()}),
        (VM, {"os_caching": "None"}),
    ],
)
async def test_a_name_that_something_else_has_taken_is_left_alone(
    item: Resource,
    change: dict[str, Any],
    emulated: Callable[..., Any],
    ready: dict[str, Any],
    declare: Callable[..., Declared],
) -> None:
    async with emulated(ready) as (_, azure):
        steps = await steps_for(azure, declare())
        for step in steps:
            await carry_out(azure, step)
        other = Resource(item.address, msgspec.structs.replace(item.spec, **change), item.arm_id, item.location)
        live = await kind_of(item).look(azure, other)
        assert live is not None
        plan = compare(Situation(declare(), {item.address: other}, Live({item.address: live}), NOW), restored_kinds())
        (blocked,) = plan.blocked
        assert blocked.action is Action.BLOCKED
        assert "restore under another name" in blocked.manual
        step = next(step for step in steps if step.address == str(item.address))
        spec = msgspec.to_builtins(other.spec)
        asked = msgspec.structs.replace(step, arguments={**step.arguments, "spec": spec})
        with pytest.raises(ConflictError, match="is there already"):
            await kind_of(item).perform(azure, asked)
        with pytest.raises(FailedError, match="is not as written"):
            await kind_of(item).verify(azure, asked)


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"dnsSettings": {"dnsServers": []}, "enableIPForwarding": False}, ()),
        ({"enableIPForwarding": True}, ("IP forwarding",)),
        ({"dnsSettings": {"dnsServers": ["10.0.0.4"]}}, ("DNS servers of its own",)),
        ({"ipConfigurations": [{}, {}]}, ("several IP configurations",)),
        ({"ipConfigurations": [{"properties": {"privateIPAllocationMethod": "dynamic"}}]}, ()),
        (
            {
                "ipConfigurations": [
                    {
                        "properties": {
                            "publicIPAddress": {"id": "/ip"},
                            "privateIPAllocationMethod": "Static",
                            "loadBalancerBackendAddressPools": [{"id": "/pool"}],
                            "applicationSecurityGroups": [{"id": "/group"}],
                        }
                    }
                ]
            },
            ("a public address", "a static private address", "a load balancer", "application security groups"),
        ),
    ],
)
def test_an_interface_that_somebody_set_up_is_not_ours(properties: dict[str, Any], told: tuple[str, ...]) -> None:
    body = msgspec.convert({"location": "westeurope", "properties": properties}, InterfaceBody)
    wanted = RestoredInterfaceSpec(location="westeurope", subnet="", machine=MACHINE)
    live = RestoredInterfaceKind().live_spec(body, wanted, Place(INTERFACE.address, ArmId(str(INTERFACE.arm_id))))
    assert live.addressing == told
    assert (live == wanted) == (not told)


async def test_one_with_a_static_address_blocks_and_an_equal_one_is_told(
    emulated: Callable[..., Any], ready: dict[str, Any], declare: Callable[..., Declared]
) -> None:
    item = INTERFACE
    async with emulated(ready) as (served, azure):
        step = next(step for step in await steps_for(azure, declare()) if step.address == str(item.address))
        await carry_out(azure, step)
        equal = await kind_of(item).look(azure, item)
        assert equal is not None
        (told,) = check_found(equal, item)
        assert (told.code, told.severity) == ("interface-there", Severity.INFO)
        store = served.emulator.world.store
        body = store.get(str(item.arm_id))
        assert body is not None
        body["properties"]["enableIPForwarding"] = True
        store.replace(str(item.arm_id), body)
        other = await kind_of(item).look(azure, item)
        assert other is not None
        assert list(check_found(other, item)) == []
        plan = compare(Situation(declare(), {item.address: item}, Live({item.address: other}), NOW), restored_kinds())
        assert "is there already, with another addressing" in plan.blocked[0].why
        with pytest.raises(ConflictError, match="is there already"):
            await kind_of(item).perform(azure, step)


def test_a_size_that_is_not_known_is_said_to_be() -> None:
    item, spec = next((one, one.spec) for one in WANTED if isinstance(one.spec, RestoredMachineSpec))
    unknown = msgspec.structs.replace(spec, size="")
    (size,) = [phrase for phrase in kind_of(item).describe(unknown) if phrase.name == "size"]
    assert size.text.startswith(f"unknown, {spec.os_type}")


async def test_disks_and_interfaces_of_another_vm_are_taken(
    emulated: Callable[..., Any], ready: dict[str, Any], declare: Callable[..., Declared]
) -> None:
    async with emulated(ready) as (_, azure):
        for step in await steps_for(azure, declare()):
            await carry_out(azure, step)
        for item in WANTED[:3]:
            spec = msgspec.structs.replace(item.spec, machine=MACHINE + "-2")
            other = Resource(item.address, spec, item.arm_id, item.location)
            live = await kind_of(item).look(azure, other)
            assert live is not None
            assert live.spec != spec
