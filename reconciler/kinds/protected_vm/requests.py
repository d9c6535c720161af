"""Sending the writes of protected VMs, by the wire table (backup.md §1, §3), and reading them back."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation, wait
from reconciler.errors import AbsentError, AzureError, DoubtfulError, FailedError, UnreachableError
from reconciler.kinds.protected_vm.inventory import API_VERSION
from reconciler.kinds.protected_vm.spec import Disks, wire_disks
from reconciler.kinds.protected_vm.wire import ItemBody, disks_from, state_from
from reconciler.kinds.resource_guard import DELETE_ITEM, UPDATE_ITEM, guard_proxy, guard_requests
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import ItemState
from reconciler.plan.change import Step

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import models

FABRIC = "Azure"
UNKNOWN_VM = frozenset({"usererrorvmnotfoundv2", "bmsusererrorvmnotfound", "bmsusererrorcontainernotfound"})
"""Azure's ways of saying that the vault has not seen the VM yet; refreshContainers makes it look again."""
_LOOKS_FOR = 20.0
"""Seconds that a vault takes to look for VMs."""
BACKED_UP = frozenset({ItemState.PROTECTED, ItemState.FIRST_BACKUP_PENDING, ItemState.FAILING})
EXPECTED = {
    "protect": BACKED_UP,
    "update": BACKED_UP,
    "resume": BACKED_UP,
    "undelete": frozenset({ItemState.STOPPED}),
    "stop": frozenset({ItemState.STOPPED}),
    "suspend": frozenset({ItemState.SUSPENDED}),
}
"""The states in which an item must be found after each verb."""
_LOOKS_BACK = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further look at what was written."""


@dataclass(frozen=True, slots=True)
class ItemPath:
    """The names under which an item is addressed: Azure's own where there are any, else built from the VM's."""

    vault: ArmId
    container: str
    item: str

    @classmethod
    def of(cls, step: Step) -> ItemPath:
        vault, known = ArmId(step.arguments["vault"]), step.arguments["item"]
        if known:
            item = ArmId(known)
            return cls(vault, item.segment("protectionContainers"), item.segment("protectedItems"))
        machine = ArmId(step.arguments["machine"])
        name = f"iaasvmcontainerv2;{machine.resource_group};{machine.name}"
        return cls(vault, f"iaasvmcontainer;{name}", f"vm;{name}")

    @property
    def arm_id(self) -> ArmId:
        return self.vault.child(
            "backupFabrics", FABRIC, "protectionContainers", self.container, "protectedItems", self.item
        )


async def send(azure: Azure, step: Step) -> Operation | None:
    """The write of one step. A VM that the vault does not know yet is looked for once, then the write is repeated."""
    path = ItemPath.of(step)
    if step.verb == "delete":
        return await _delete(azure, step, path)
    try:
        return await _put(azure, step, path)
    except AzureError as error:
        if step.verb != "protect" or error.code.casefold() not in UNKNOWN_VM:
            raise
    await _refresh_containers(azure, path.vault)
    return await _put(azure, step, path)


async def _put(azure: Azure, step: Step, path: ItemPath) -> Operation | None:
    requests = await guard_requests(azure, path.vault, UPDATE_ITEM) if step.arguments["guarded"] else []
    accepted = Accepted()
    client = azure.backup(path.vault.subscription)
    call = client.protected_items.begin_create_or_update(
        path.vault.name,
        path.vault.resource_group,
        FABRIC,
        path.container,
        path.item,
        _body(step, requests),
        polling=False,
        raw_response_hook=accepted,
    )
    await _sent(call, str(path.arm_id))
    return accepted.operation(str(path.arm_id))


def _body(step: Step, guard: list[str]) -> models.ProtectedItemResource:
    from azure.mgmt.recoveryservicesbackup import models

    arguments = step.arguments
    item = models.AzureIaaSComputeVMProtectedItem(source_resource_id=arguments["machine"])
    if guard:
        item.resource_guard_operation_requests = guard
    if step.verb in ("stop", "undelete"):
        item.policy_id = ""
        item.protection_state = "ProtectionStopped"
        if step.verb == "undelete":
            item.is_rehydrate = True
    elif step.verb == "suspend":
        item.policy_id = arguments["keeps"]
        item.protection_state = "BackupsSuspended"
    else:
        item.policy_id = arguments["policy"]
        if arguments["disks"] is not None:
            included, luns = wire_disks(msgspec.convert(arguments["disks"], Disks))
            item.extended_properties = models.ExtendedProperties(
                disk_exclusion_properties=models.DiskExclusionProperties(
                    disk_lun_list=list(luns), is_inclusion_list=included
                )
            )
    return models.ProtectedItemResource(properties=item)


async def _delete(azure: Azure, step: Step, path: ItemPath) -> Operation | None:
    """The SDK does not poll this one: its operation is the vault's, and it is waited for like any other."""
    client = azure.backup(path.vault.subscription)
    resource = str(path.arm_id)
    if step.arguments["guarded"]:
        requests = await guard_requests(azure, path.vault, DELETE_ITEM)
        if requests:
            body = {"resourceGuardOperationRequests": requests, "resourceToBeDeleted": resource}
            await azure.send("POST", f"{guard_proxy(path.vault)}/unlockDelete", API_VERSION, body)
    accepted = Accepted()
    call = client.protected_items.delete(
        path.vault.name, path.vault.resource_group, FABRIC, path.container, path.item, raw_response_hook=accepted
    )
    await _sent(call, resource)
    return accepted.operation(resource, gone_is_success=True)


async def _refresh_containers(azure: Azure, vault: ArmId) -> None:
    """Makes the vault look for VMs; its result stays 202 for some 15 seconds, then it is 204.

    Where the answer is lost it may look all the same: it is given that time, and not asked a second time.
    """
    accepted = Accepted()
    client = azure.backup(vault.subscription)
    call = client.protection_containers.refresh(vault.name, vault.resource_group, FABRIC, raw_response_hook=accepted)
    try:
        await _sent(call, str(vault))
    except (DoubtfulError, UnreachableError):
        await azure.pause(_LOOKS_FOR)
        return
    location = accepted.headers.get("location")
    if location:
        operation = Operation(url=location, via="location", resource=str(vault))
        await wait(azure, operation, limit=timedelta(minutes=5))


async def _sent(call: Awaitable[Any], resource: str) -> None:
    from azure.core import exceptions

    try:
        await call
    except exceptions.AzureError as error:
        raise failure(error, resource) from error


async def read_back(azure: Azure, step: Step) -> None:
    """GET and compare, a few times: a read may come too early to see what was written.

    Raises AbsentError, or FailedError with what is not as written.
    """
    for pause in (*_LOOKS_BACK, None):
        try:
            await _compare(azure, step)
        except (AbsentError, FailedError):
            if pause is None:
                raise
            await azure.pause(pause)
        else:
            return


async def _compare(azure: Azure, step: Step) -> None:
    path = ItemPath.of(step)
    try:
        body = await azure.get(str(path.arm_id), API_VERSION, ItemBody)
    except AbsentError:
        if step.verb == "delete":
            return
        raise
    differing = _differences(step, body)
    if differing:
        raise FailedError(
            f"Azure accepted to {step.title} and it is not so",
            resource=str(path.arm_id),
            why="; ".join(differing),
            advice="run plan: it shows what is left to do",
        )


def _differences(step: Step, body: ItemBody) -> list[str]:
    properties, state = body.properties, state_from(body.properties)
    if step.verb == "delete":
        return [] if state is ItemState.SOFT_DELETED else [f"it is still there as {state.value}"]
    found = []
    if state not in EXPECTED[step.verb]:
        found.append(f"its state is {state.value}")
    policy = step.arguments.get("policy")
    if policy and ArmId(properties.policy_id or "") != ArmId(policy):
        found.append(f"its policy is {(properties.policy_id or 'none').rpartition('/')[2]}")
    disks = step.arguments.get("disks")
    if disks is not None:
        wanted, there = msgspec.convert(disks, Disks), disks_from(properties.extended_properties)
        if there != wanted:
            found.append(f"it backs up {there} instead of {wanted}")
    return found
