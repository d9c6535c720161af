"""From what a person types to what is meant: a snapshot, a VM, a slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches

from reconciler.errors import UsageError
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.observed import RestorePointFacts, SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.slots import spell_slot
from reconciler.model.snapshot_schedule import DOCUMENT
from reconciler.restore.sets import RecoverySet

LATEST = "latest"
_NAMED = 8
"""How many choices a message names."""


def find_source(text: str, declared: Declared, live: Live) -> Resource:
    """The one live snapshot or restore point that `text` means: an ARM id, `alias/group/name`, `group/name` or a name,
    in any casing.

    Raises UsageError where there is none, or more than one.
    """
    facts = (SnapshotFacts, RestorePointFacts)
    snapshots = [resource for resource in live.state.values() if isinstance(resource.observed, facts)]
    if text.strip("/").casefold().startswith("subscriptions/"):
        found = [resource for resource in snapshots if resource.arm_id == ArmId(text)]
    else:
        found = [resource for resource in snapshots if _ends(resource.address, text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise _several("snapshots or restore points", text, (_spell(resource.address) for resource in found))
    near = _near(text, {resource.address.name: _spell(resource.address) for resource in snapshots})
    raise UsageError(
        f"there is no snapshot or restore point {text!r} in the subscriptions of the Scope",
        why=_unread(live) or _unasked(declared),
        advice=near or "`reconciler snapshots list VM` shows what there is; write an ARM id, group/name or a name",
    )


def find_machine(text: str, declared: Declared, live: Live) -> ArmId:
    """The one VM that `text` means, in the forms of `explain`: one that is there, or one that is gone and that
    snapshots or restore points name. Raises UsageError where there is none, or more than one."""
    known = {machine.arm_id: f"{machine.scope}/{machine.name}" for machine in live.machines}
    for machine in _named(live.state.values()):
        known.setdefault(machine, _label(machine, declared))
    if text.strip("/").casefold().startswith("subscriptions/"):
        found = [machine for machine in known if machine == ArmId(text)]
    else:
        found = [machine for machine, label in known.items() if f"/{fold(label)}".endswith(f"/{fold(text.strip('/'))}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise _several("VMs", text, (known[machine] for machine in found))
    near = _near(text, {machine.name: label for machine, label in known.items()})
    raise UsageError(
        f"no VM {text!r} is in the subscriptions of the Scope, and no snapshot names one",
        why=_unread(live) or _unasked(declared),
        advice=near or "write its name, group/name, alias/group/name or its ARM id",
    )


def label_of(machine: ArmId, declared: Declared, live: Live) -> str:
    """`alias/group/name` of a VM that is there or gone."""
    there = live.machines_by_id.get(machine)
    return f"{there.scope}/{there.name}" if there else _label(machine, declared)


def split_slot(text: str) -> tuple[str, str]:
    """`VM@SLOT` → the VM, the slot. Raises UsageError for anything else."""
    machine, at, slot = text.rpartition("@")
    if not (at and machine and slot):
        raise UsageError(
            f"{text!r} does not say which VM and which slot",
            advice="write VM@SLOT, as web-01@2026-11-22T06:00Z or web-01@latest",
        )
    return machine, slot


def choose_slot(text: str, sets: Sequence[RecoverySet], wanted: frozenset[str]) -> datetime:
    """The slot that `text` means among those of one VM: whole, the beginning of exactly one, or `latest`: the newest
    that holds all `wanted` places, usable, or else the newest that holds a usable OS disk. `sets` are newest first.

    Raises UsageError where there is none, or more than one.
    """
    slots = list(dict.fromkeys(found.slot for found in sets))
    if text.casefold() == LATEST and slots:
        whole = (found.slot for found in sets if wanted <= found.usable)
        bootable = (found.slot for found in sets if "os" in found.usable)
        return next(whole, next(bootable, slots[0]))
    meant = [slot for slot in slots if spell_slot(slot).casefold().startswith(text.casefold())]
    if len(meant) == 1:
        return meant[0]
    shown = ", ".join(spell_slot(slot) for slot in (meant or slots)[:_NAMED])
    more = len(meant or slots) - _NAMED
    shown += f" and {more} more" if more > 0 else ""
    if meant:
        raise UsageError(f"{text!r} is the beginning of {len(meant)} slots", advice=f"write one of {shown}")
    raise UsageError(
        f"nothing was taken in slot {text!r}",
        advice=f"there is {shown}, or write latest" if slots else "`reconciler snapshots list VM` shows what there is",
    )


def _named(resources: Iterable[Resource]) -> Iterable[ArmId]:
    for resource in resources:
        facts = resource.observed
        if isinstance(facts, (SnapshotFacts, RestorePointFacts)) and facts.machine_id is not None and facts.slot:
            yield facts.machine_id


def _label(machine: ArmId, declared: Declared) -> str:
    alias = declared.alias(machine.subscription) or machine.subscription
    return f"{alias}/{machine.resource_group}/{machine.name}"


def _ends(address: Address, text: str) -> bool:
    return f"/{fold(_spell(address))}".endswith(f"/{fold(text.strip('/'))}")


def _spell(address: Address) -> str:
    return f"{address.scope}/{address.name}"


def _several(what: str, text: str, found: Iterable[str]) -> UsageError:
    names = sorted(found)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return UsageError(
        f"{text!r} may mean {len(names)} {what}", advice=f"write one of {', '.join(names[:_NAMED])}{more}"
    )


def _near(text: str, names: Mapping[str, str]) -> str:
    spelled = {fold(name): label for name, label in names.items()}
    close = get_close_matches(fold(text.rpartition("/")[2]), spelled, n=3, cutoff=0.7)
    return f"did you mean {', '.join(spelled[name] for name in close)}?" if close else ""


def _unasked(declared: Declared) -> str:
    return "" if declared.of(DOCUMENT) else f"the policies declare no {DOCUMENT}: without one no snapshots are read"


def _unread(live: Live) -> str:
    """Where something was not read, it may be there all the same."""
    return f"{live.unreadable[0].message}: it may be there" if live.unreadable else ""
