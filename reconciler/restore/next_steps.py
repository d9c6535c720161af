"""What to do once a restore is done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec

from reconciler.kinds.vault_restore.spec import DISKS, REPLACE, VaultRestoreSpec
from reconciler.kinds.vault_restore.spec import NAME as VAULT_RESTORE
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan


def next_steps(plan: Plan) -> tuple[str, ...]:
    """Commands and reminders for the person, in order; none for a plan that is no restore. Pure."""
    if plan.restore is None:
        return ()
    restored = next((change for change in plan.actionable if change.kind == VAULT_RESTORE), None)
    if restored is not None:
        return tuple(_from_vault(restored))
    machine = next((change for change in plan.actionable if change.kind == "virtual_machine"), None)
    if machine is not None:
        return _of_machine(machine)
    return tuple(line for change in plan.actionable if change.kind == "disk" for line in _of_disk(change))


def _from_vault(change: Change) -> Iterator[str]:
    spec = msgspec.convert(change.after, VaultRestoreSpec)
    name, ids = spec.machine_id.name, shlex.quote(change.arm_id)
    if spec.into == DISKS:
        group = ArmId(spec.group)
        at = f"--subscription {group.subscription} --resource-group {shlex.quote(group.resource_group)}"
        yield f"Made:           disks in {group}"
        yield f"Their names:    az disk list {at} --output table"
        yield f"Attach one:     az vm disk attach {at} --vm-name VM --name DISK"
        yield "Not protected:  a disk gets backups and snapshots with the VM that it is attached to"
        return
    if spec.into == REPLACE:
        yield f"Replaced:       the disks of VM {name}; it is deallocated still"
        yield f"Start it:       az vm start --ids {ids}"
        yield "Left behind:    the disks that it had, unattached in its resource group: they are billed"
        return
    made = ArmId(spec.target).name
    yield f"Made:           VM {made}, {spec.target}"
    yield f"Its address:    az vm show --show-details --query privateIps --ids {ids}"
    yield f"Look first:     host name and scheduled jobs are those of {name}; extensions may be missing"
    yield f"Not protected:  until a Protection selects it; what does: reconciler explain {shlex.quote(made)}"


def _of_machine(change: Change) -> tuple[str, ...]:
    arm_id = ArmId(change.arm_id)
    port = "RDP" if (change.after or {}).get("os_type") == "Windows" else "SSH"
    return (
        f"Made:           VM {arm_id.name}, {arm_id}",
        f"Its address:    az vm show --show-details --query privateIps --ids {shlex.quote(str(arm_id))}",
        f"Sign in:        by {port}, with the accounts of the VM that it was made from",
        "Look first:     host name and scheduled jobs are the source's; extensions, identities and tags are missing",
        f"Not protected:  until a Protection selects it; what does: reconciler explain {shlex.quote(arm_id.name)}",
    )


def _of_disk(change: Change) -> tuple[str, ...]:
    arm_id, spec = ArmId(change.arm_id), change.after or {}
    system = spec.get("os_type")
    disk = shlex.quote(str(arm_id))
    zone = f" --zone {shlex.quote(spec['zone'])}" if spec.get("zone") else ""
    create = f"az vm create --resource-group GROUP --name VM --attach-os-disk {disk} --os-type {system}{zone}"
    start = (f"Start from it:  {create}",) if system else ()
    return (
        f"Made:           disk {arm_id.name}, {arm_id}",
        *start,
        f"Attach it:      az vm disk attach --resource-group GROUP --vm-name VM --name {disk}",
        "Not protected:  a disk gets backups and snapshots with the VM that it is attached to",
    )
