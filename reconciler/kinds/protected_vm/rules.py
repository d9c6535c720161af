"""What can be known of `backup:` in a Protection without Azure."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.located_vault import declared_vaults
from reconciler.kinds.protected_vm.document import Backup, DiskList
from reconciler.kinds.protected_vm.spec import named_vaults
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document
from reconciler.model.protection import Protection
from reconciler.plan.finding import Finding, Severity

MAX_DATA_DISKS = 32


def check_backup(document: Document[Protection], aspect: Backup, declared: Declared) -> Iterator[Finding]:
    """BP-95 on the written disk lists, and `moveFrom` that names a vault of ours."""
    yield from _check_disks(document, aspect)
    yield from _check_move(document, aspect, declared)


def _check_disks(document: Document[Protection], aspect: Backup) -> Iterator[Finding]:
    if not isinstance(aspect.disks, DiskList):
        return
    lists = {"only": aspect.disks.only, "except": aspect.disks.except_}
    given = {key: luns for key, luns in lists.items() if luns is not None}
    if len(given) != 1:
        both = "only and except are both given" if given else "neither only nor except is given"
        yield _disks_finding(
            document, (), both, "keep one of them: {only: [0]} or {except: [1]}, or write all or osOnly"
        )
        return
    for key, luns in given.items():
        if len(set(luns)) < len(luns):
            yield _disks_finding(document, (key,), "a LUN is given twice", "name each LUN once")
        if len(set(luns)) > MAX_DATA_DISKS:
            yield _disks_finding(
                document,
                (key,),
                f"{len(set(luns))} LUNs: a VM with more than {MAX_DATA_DISKS} data disks cannot be backed up (BP-45)",
                f"name {MAX_DATA_DISKS} or fewer",
            )


def _disks_finding(document: Document[Protection], path: tuple[str, ...], message: str, advice: str) -> Finding:
    return Finding(
        code="BP-95",
        message=f"Protection {document.name} backup.disks: {message}",
        advice=advice,
        source=document.at("backup", "disks", *path),
        rule_source="sel, tf-pvm, cli",
    )


def _check_move(document: Document[Protection], aspect: Backup, declared: Declared) -> Iterator[Finding]:
    named = named_vaults(aspect)
    for vault in declared_vaults(declared).values():
        written = named & {fold(vault.name), vault.arm_id.key.strip("/")}
        if written:
            yield Finding(
                code="move-from-declared",
                message=f"Protection {document.name} backup.moveFrom names {vault.name}, which is a declared vault: "
                "a VM stays where it is in those",
                severity=Severity.WARNING,
                advice="to move VMs between declared vaults, name the vault to go to: backup.vault",
                source=document.at("backup", "moveFrom"),
            )


def moves_from(aspect: Backup, vault: ArmId) -> bool:
    """True where `moveFrom` names this vault, by name or by id."""
    return bool(named_vaults(aspect) & {fold(vault.name), vault.key.strip("/")})
