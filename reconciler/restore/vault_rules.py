"""What speaks against a restore from a vault, all of it before anything is sent (rules.md BP-91, BP-100 to BP-112)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.kinds.vault_restore.spec import DISKS, REPLACE
from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine
from reconciler.model.restore_request import BackupRequest
from reconciler.model.vault_point import VaultPoint, spell_time
from reconciler.plan.finding import Finding, Severity
from reconciler.restore.sets import OS
from reconciler.restore.vault_surroundings import VaultSurroundings
from reconciler.restore.wish import REGIONAL, Target

SAME = "same"
"""What is written for a restored disk that is reached as its source is."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A restore as it was asked for, and what was found of it. `region` is where it goes, `machine` the VM as it is now
    (None: gone), `staging` the ARM id and region of the storage account, None where it was not found."""

    request: BackupRequest
    machine_id: ArmId
    machine: Machine | None
    point: VaultPoint
    around: VaultSurroundings
    target: Target
    region: str
    staging: tuple[ArmId, str] | None

    @property
    def replaces(self) -> bool:
        return self.request.into == REPLACE


def check_restore(ask: Ask) -> Iterator[Finding]:
    """Everything that speaks against it. Pure."""
    for rule in _RULES:
        yield from rule(ask)


def _check_tier(ask: Ask) -> Iterator[Finding]:
    when = spell_time(ask.point.taken)
    if not ask.point.tier:
        yield Finding(
            code="BP-112",
            message=f"the recovery point of {when} is in no tier any more: its snapshot is gone, and it never reached "
            "the vault",
            advice=f"choose another: reconciler recovery-points list {ask.machine_id.name}",
        )
    if ask.point.tier == "archive":
        yield Finding(
            code="BP-104",
            message=f"the recovery point of {when} is in the archive tier alone: it takes hours to get it back",
            advice="rehydrate it for 10 to 30 days, then run this again: az backup restore restore-disks "
            "--rehydration-priority Standard --rehydration-duration 15",
        )


def _check_secondary(ask: Ask) -> Iterator[Finding]:
    if not ask.request.secondary:
        return
    if not ask.around.across_regions:
        yield Finding(
            code="BP-91",
            message=f"vault {ask.around.vault.name} has no cross-region restore: its copies cannot be reached",
            advice="turn it on (crossRegionRestore of the Vault, which cannot be turned off again), or restore in "
            f"{ask.around.location}",
        )
    if not ask.region:
        yield Finding(
            code="BP-106",
            message=f"the secondary region of {ask.around.location} is not known",
            advice="restore in the region of the vault",
        )
    if ask.replaces:
        yield Finding(
            code="BP-101",
            message="the disks of a VM are not replaced from the secondary region",
            advice="restore to a new VM there, or leave --region out",
        )
    elif not ask.request.resource_group:
        yield Finding(
            code="BP-104",
            message="a restore in the secondary region needs a resource group that is named",
            advice="name one with --resource-group",
        )


def _check_staging(ask: Ask) -> Iterator[Finding]:
    choices = sorted(account.name for account, region in ask.around.accounts if region == ask.region)
    advice = (
        f"name one with --staging-account, as {', '.join(choices[:5])}"
        if choices
        else f"there is none in {ask.region} in this subscription: create one, or name one by its ARM id"
    )
    if ask.around.unread:
        message, advice = f"the storage accounts could not be read: {ask.around.unread}", _READ_ACCOUNTS
    elif not ask.request.staging_account:
        message = f"Azure Backup stages a restore in a storage account in {ask.region}, and none is named"
    elif ask.staging is None:
        message = f"there is no storage account {ask.request.staging_account}"
    elif ask.staging[1] != ask.region:
        message = f"storage account {ask.staging[0].name} is in {ask.staging[1]}, and the restore goes to {ask.region}"
    else:
        return
    yield Finding(code="BP-100", message=message, advice=advice)


def _check_replace(ask: Ask) -> Iterator[Finding]:
    if not ask.replaces:
        return
    name, message, advice = ask.machine_id.name, "", f"restore to a new VM: reconciler restore vm {ask.machine_id.name}"
    if not ask.around.power:
        message = f"VM {name} is gone: there are no disks to replace"
    elif ask.around.power != "deallocated":
        message = f"VM {name} is {ask.around.power}: its disks are replaced only while it is deallocated"
        advice = f"az vm deallocate --ids {ask.machine_id}"
    elif ask.point.encrypted or not ask.point.managed:
        what = "encrypted by Azure Disk Encryption" if ask.point.encrypted else "not managed"
        message = f"the disks of the recovery point are {what}: those are not replaced"
    if message:
        yield Finding(code="BP-101", message=message, advice=advice)
        return
    yield Finding(
        code="replaces-disks",
        severity=Severity.WARNING,
        message=f"VM {name} goes back to {spell_time(ask.point.taken)}: what was written since is not on it any more",
        advice="a new VM beside it changes nothing that exists: --name in place of --replace-existing",
    )


def _check_subscriptions(ask: Ask) -> Iterator[Finding]:
    home = ask.around.vault.subscription
    staged = ask.staging[0].subscription if ask.staging else home
    if ask.replaces or (ask.target.subscription.lower() == home and staged == home):
        return
    state = ask.around.across_subscriptions
    if state != "Enabled":
        final = " for good" if state.casefold() == "permanentlydisabled" else ""
        yield Finding(
            code="BP-102",
            message=f"vault {ask.around.vault.name} does not restore to another subscription: that is disabled{final}",
            advice="restore within its subscription, then move what was made"
            if final
            else "let the vault do so (az backup vault update --cross-subscription-restore-state Enable), or restore "
            "within its subscription",
        )
    if not ask.point.vault:
        yield Finding(
            code="BP-102",
            message=f"the recovery point of {spell_time(ask.point.taken)} is not in the vault tier yet: only from "
            "there a restore goes to another subscription",
            advice="wait until it has been moved to the vault, or choose an older one",
        )
    if ask.point.encrypted or not ask.point.managed:
        yield Finding(
            code="BP-102",
            message="encrypted and unmanaged disks are not restored to another subscription",
            advice="restore within the subscription of the vault",
        )


def _check_zone(ask: Ask) -> Iterator[Finding]:
    zone, pinned = ask.request.zone, ask.point.zones
    if zone in ("", REGIONAL) or ((zone,) == pinned and not ask.request.secondary):
        return
    if ask.point.encrypted:
        yield Finding(
            code="BP-103",
            severity=Severity.WARNING,
            message="an encrypted VM is not known to come up in another zone",
            advice="leave --zone out",
        )
    redundant = ask.around.redundancy == "ZoneRedundant"
    if ask.point.vault and (redundant or (ask.request.secondary and pinned)):
        return
    why = "the vault is not zone-redundant" if ask.point.vault else "the recovery point is not in the vault tier"
    yield Finding(
        code="BP-103",
        message=f"it cannot be restored to zone {zone}: {why}",
        advice="leave --zone out"
        + (f": it was taken in zone {pinned[0]}" if pinned and not ask.request.secondary else ""),
    )


def _check_encryption(ask: Ask) -> Iterator[Finding]:
    if not ask.request.encryption_set:
        return
    allowed = ask.around.own_key and ask.point.managed and not ask.point.encrypted
    if not allowed:
        yield Finding(
            code="BP-105",
            message="a disk encryption set is taken only where the vault has a customer-managed key, and the disks are "
            "managed and not encrypted by Azure Disk Encryption",
            advice="leave --disk-encryption-set out",
        )


def _check_access(ask: Ask) -> Iterator[Finding]:
    wanted = ask.request.disk_access
    message = ""
    if ask.point.private and not wanted:
        message = "a disk of the recovery point has private access: how the restored ones are reached must be said"
        advice = "add --disk-access same, public, or the ARM id of a disk access"
    elif wanted and not ask.point.private:
        message = "no disk of the recovery point has private access: how the restored ones are reached is not asked"
        advice = "leave --disk-access out"
    elif wanted == SAME and ask.request.secondary:
        message = "disks are not reached the same way in the secondary region"
        advice = "write --disk-access public, or the ARM id of a disk access there"
    if message:
        yield Finding(code="BP-105", message=message, advice=advice)


def _check_disks(ask: Ask) -> Iterator[Finding]:
    point, when = ask.point, spell_time(ask.point.taken)
    if point.included is not None and point.attached is not None and point.included < point.attached:
        yield Finding(
            code="disks-left-out",
            severity=Severity.WARNING,
            message=f"the recovery point of {when} holds {point.included} of the {point.attached} disks of "
            f"{ask.machine_id.name}: the others were left out of its backups",
            advice="what is restored is without them",
        )
    held = point.disks or (tuple(disk.place for disk in ask.machine.disks) if ask.machine else ())
    missing = [place for place in ask.request.disks if held and place not in held]
    if ask.request.into == DISKS and missing:
        yield Finding(
            code="disk-missing",
            message=f"the recovery point of {when} has no disk {', '.join(missing)}",
            advice=f"choose of {', '.join(held)}; the OS disk always comes along",
        )
    if ask.request.disks and OS not in ask.request.disks:
        yield Finding(
            code="os-disk-comes-along",
            severity=Severity.INFO,
            message="Azure Backup restores the OS disk with every selection of disks",
            advice="",
        )


_READ_ACCOUNTS = "give the identity Microsoft.Storage/storageAccounts/read, then run this again"
_RULES: tuple[Callable[[Ask], Iterator[Finding]], ...] = (
    _check_tier,
    _check_secondary,
    _check_staging,
    _check_replace,
    _check_subscriptions,
    _check_zone,
    _check_encryption,
    _check_access,
    _check_disks,
)
