"""A restore from a vault: a new VM, disks, or other disks for a VM that is there (backup.md §6, rules.md §1l).

What Azure keeps of it is a job. One that has done, or does, the same is this resource, live: nothing is sent twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.base import Comparison, Expansion, Kind, Rule, Verdict
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.vault_restore.jobs import find_job, operation_of
from reconciler.kinds.vault_restore.requests import send_restore
from reconciler.kinds.vault_restore.spec import DISKS, MACHINE, NAME, NO_ZONE, REPLACE, VaultRestoreSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.plan.change import Action, Consequence, Effect, Reason, Step
from reconciler.plan.finding import Finding

PERMISSION = (
    "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action"
)
_ACROSS = "Microsoft.RecoveryServices/locations/backupCrossRegionRestore/action"
MACHINE_VERSION = "2025-04-01"
_NOTHING = "0"
"""The recovery point of a VM that no restore has made."""


class MachineBody(msgspec.Struct, frozen=True):
    """Of a VM, whether it is there."""

    id: str = ""


class VaultRestoreKind(Kind[VaultRestoreSpec]):
    """Asked for by `reconciler restore` alone; no policy declares one."""

    name = NAME
    title = "restore from a vault"
    spec = VaultRestoreSpec
    rules: ClassVar[Mapping[str, Rule]] = dict.fromkeys(VaultRestoreSpec.__struct_fields__, Rule.FORBID)

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:  # noqa: ARG002 -- no policy declares one
        """Nothing: no policy declares one."""
        return iter(())

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:  # noqa: ARG002
        """Nothing: a restore that is asked for is looked for by itself (`look`)."""
        nothing: tuple[Resource, ...] = ()
        for resource in nothing:
            yield resource

    async def look(self, azure: Azure, wanted: Resource) -> Resource | None:
        """The same, done already; or, of a new VM, one that has taken its name. Raises what the reads raise."""
        spec = _spec_of(wanted)
        job = await find_job(azure, spec)
        there = spec.into != MACHINE or await _is_there(azure, spec)
        if job is not None and job.completed and there:
            return dataclasses.replace(wanted, observed=job.properties.status)
        if spec.into == MACHINE and there and (job is None or not job.running):
            return dataclasses.replace(wanted, spec=msgspec.structs.replace(spec, point=_NOTHING))
        return None

    def judge(self, comparison: Comparison[VaultRestoreSpec]) -> Verdict | None:
        """Blocked where the name is taken; an update of the VM whose disks are replaced."""
        if comparison.live is None and comparison.wanted_spec.into == REPLACE:
            why = f"its disks are replaced by those of {_when(comparison.wanted_spec)}"
            return Verdict(Action.UPDATE, Reason.NOT_IN_AZURE, why)
        if comparison.live is None or not comparison.fields:
            return None
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            "a VM of this name is there already, and no restore from this recovery point has made it; a restore to a "
            "new VM changes nothing that exists (BP-105)",
            "restore under another name, or remove that VM first",
        )

    def steps(self, comparison: Comparison[VaultRestoreSpec], verdict: Verdict) -> tuple[Step, ...]:
        """One POST, and the job after it."""
        if verdict.action not in (Action.CREATE, Action.UPDATE):
            return ()
        spec = comparison.wanted_spec
        return (
            Step(
                id=f"{comparison.address}#restore",
                kind=self.name,
                address=str(comparison.address),
                verb="restore",
                title=_title(spec),
                arguments={"spec": msgspec.to_builtins(spec)},
                lane=str(spec.vault),
                permission=_ACROSS if spec.secondary else PERMISSION,
                usually="minutes" if spec.tier == "snapshot" else "half an hour and more",
                long=True,
            ),
        )

    def describe(self, spec: VaultRestoreSpec) -> Iterator[Phrase]:
        """Where from, and where to."""
        vault = f"{spec.vault.resource_group}/{spec.vault.name}"
        tier = f" ({spec.tier} tier)" if spec.tier else ""
        yield Phrase("point", "from", f"{spec.machine_id.name} at {_when(spec)}, in {vault}{tier}")
        if spec.disks:
            yield Phrase("disks", "disks", ", ".join(spec.disks))
        zone = {"": "", NO_ZONE: ", in no zone"}.get(spec.zone, f", zone {spec.zone}")
        if spec.group:
            yield Phrase("group", "to", f"resource group {ArmId(spec.group).resource_group}, {spec.region}{zone}")
        if spec.subnet:
            subnet = ArmId(spec.subnet)
            yield Phrase("subnet", "subnet", f"{subnet.parent().name}/{subnet.name}")
        if spec.staging:
            yield Phrase("staging", "stagingAccount", ArmId(spec.staging).name)

    def consequences(
        self,
        comparison: Comparison[VaultRestoreSpec],
        verdict: Verdict,  # noqa: ARG002 -- a restore that is blocked has none
    ) -> tuple[Consequence, ...]:
        """What starts, what stays behind, and how long it takes (BP-104)."""
        return tuple(Consequence(effect=Effect.NONE, text=text) for text in _effects(comparison.wanted_spec))

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """Start it, unless a job does the same at this moment: that one is waited for."""
        spec = _asked(step)
        job = await find_job(azure, spec)
        if job is not None and job.running:
            return operation_of(job, spec)
        return await send_restore(azure, spec)

    async def verify(self, azure: Azure, step: Step) -> None:
        """A job has done it, and a new VM is there. Raises FailedError where not."""
        spec = _asked(step)
        job = await find_job(azure, spec)
        missing = "" if job is not None and job.completed else "no job of the vault has done it"
        if not missing and spec.into == MACHINE and not await _is_there(azure, spec):
            missing = f"its job has ended well, and there is no VM {spec.target}"
        if missing:
            raise FailedError(
                f"the restore of {spec.machine_id.name} is not as asked for: {missing}",
                resource=spec.item,
                advice="look at the backup jobs of the vault in the portal; run this again to restore once more",
            )

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        """The job that this step has started."""
        spec = _asked(step)
        job = await find_job(azure, spec, since=since)
        return operation_of(job, spec) if job is not None and job.running else None


def _asked(step: Step) -> VaultRestoreSpec:
    return msgspec.convert(step.arguments["spec"], VaultRestoreSpec)


def _spec_of(resource: Resource) -> VaultRestoreSpec:
    assert isinstance(resource.spec, VaultRestoreSpec)
    return resource.spec


async def _is_there(azure: Azure, spec: VaultRestoreSpec) -> bool:
    try:
        await azure.get(spec.target, MACHINE_VERSION, MachineBody)
    except AbsentError:
        return False
    return True


def _when(spec: VaultRestoreSpec) -> str:
    return f"{spec.point_time:%Y-%m-%dT%H:%M:%SZ}"


def _title(spec: VaultRestoreSpec) -> str:
    source = spec.machine_id.name
    if spec.into == MACHINE:
        return f"restore {source} as new VM {ArmId(spec.target).name}"
    if spec.into == REPLACE:
        return f"replace the disks of {source}"
    return f"restore {'disks' if not spec.disks else 'disks ' + ', '.join(spec.disks)} of {source}"


def _effects(spec: VaultRestoreSpec) -> Iterator[str]:
    if spec.into == REPLACE:
        yield (
            f"what was written after {_when(spec)} is no longer on the VM; the disks that it has now are left "
            "unattached in its resource group, not deleted: they hold it, and are billed"
        )
    elif spec.into == MACHINE:
        yield (
            "the VM starts at once, with the host name, accounts and services of its source: keep it from reaching "
            "what the source still serves"
        )
    elif spec.into == DISKS:
        yield "the disks hang on no VM, and are billed from then on; Azure names them after the VM and the time"
    if spec.tier == "snapshot":
        yield "the snapshot tier restores within minutes (BP-104)"
    else:
        yield "the vault tier moves 30 to 50 MB a second: 35 to 60 minutes for 100 GiB (BP-104)"
