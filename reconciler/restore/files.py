"""Files of a recovery point: opened for twelve hours, with a script that mounts them and a password (backup.md §6).

Nothing is made in Azure, and the password is a secret: there is no plan, no journal, and what is answered is told once.
"""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import OnPoll, operation_from, wait
from reconciler.errors import FailedError, UsageError
from reconciler.kinds.vault_restore.jobs import API_VERSION
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live
from reconciler.model.vault_point import VaultPoint, spell_time
from reconciler.restore.vault_points import choose_point, read_points
from reconciler.restore.vault_source import facts_of, find_item, label_of

LASTS = timedelta(hours=12)
_LIMIT = timedelta(minutes=30)
_OFFSET, _LENGTH = 33, 15
"""Where the password stands in `scriptNameSuffix`, from its last underscore on, and how long it is: as Azure's own
clients cut it out."""
_ASKS = "UserInput012345"
"""What stands in a script for a password that it then asks for."""


class ScriptBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of `recoveryTarget.clientScripts`. Its `repr` is never shown: both contents and suffix hold the password."""

    script_content: str | None = None
    script_extension: str = ""
    os_type: str | None = None
    url: str | None = None
    script_name_suffix: str = ""


class TargetBody(msgspec.Struct, frozen=True, rename="camel"):
    """`recoveryTarget`."""

    client_scripts: tuple[ScriptBody, ...] | None = None


class ProvisionProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What the operation tells once it has ended."""

    recovery_target: TargetBody = TargetBody()


class ProvisionBody(msgspec.Struct, frozen=True):
    """The last answer of the operation that opens a recovery point."""

    properties: ProvisionProperties = ProvisionProperties()


@dataclass(frozen=True, slots=True)
class FileSource:
    """A recovery point whose files are to be opened, or closed. `renews` says that they are open already."""

    label: str
    item: ArmId
    machine: ArmId
    point: VaultPoint
    renews: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """How the files are reached. `script` is what is written to a file of that `name`, without the password; of
    Windows it is empty: there an executable is loaded from `url` and must be kept under that name, which it reads."""

    name: str
    until: datetime
    url: str = ""
    script: bytes = field(default=b"", repr=False)
    password: str = field(default="", repr=False)


async def find_files(azure: Azure, live: Live, machine: str, point: str) -> FileSource:
    """The recovery point that is meant. Raises UsageError where it is not found, where it is of a kind whose files
    cannot be opened, and where those of another one are open: Azure opens one of a VM at a time."""
    item = find_item(machine, live)
    facts, label = facts_of(item), label_of(item)
    points = await read_points(azure, facts.item_id)
    chosen = choose_point(point, points, facts.machine_id.name)
    _check(chosen, points, label)
    return FileSource(label, facts.item_id, facts.machine_id, chosen, chosen.mounted)


async def find_open(azure: Azure, live: Live, machine: str) -> FileSource | None:
    """The recovery point of a VM whose files are open, None where there is none."""
    item = find_item(machine, live)
    facts = facts_of(item)
    mounted = next((point for point in await read_points(azure, facts.item_id) if point.mounted), None)
    return FileSource(label_of(item), facts.item_id, facts.machine_id, mounted, renews=True) if mounted else None


async def open_files(azure: Azure, source: FileSource, on_poll: OnPoll | None = None) -> Mount:
    """Open them, or renew what is open. What comes back holds a secret: it must reach a person, and no file.

    From 2026-08-01 on Azure tells the scripts by an action of their own; the version that is asked here still has them
    in the operation's last answer. Raises the errors of `reconciler.errors`.
    """
    body = {
        "properties": {
            "objectType": "IaasVMILRRegistrationRequest",
            "recoveryPointId": source.point.name,
            "virtualMachineId": str(source.machine),
            "renewExistingRegistration": source.renews,
        }
    }
    told = await _ask(azure, source, "provisionInstantItemRecovery", body, on_poll)
    try:
        scripts = msgspec.convert(told, ProvisionBody).properties.recovery_target.client_scripts or ()
        return _mount(scripts, azure.now() + LASTS)
    except (msgspec.ValidationError, ValueError, binascii.Error):
        raise FailedError(
            f"Azure opened the files of {source.label} and told no script that this version knows",
            resource=str(source.item),
            advice=f"mount them with az backup restore files, or close them: {revoke_command(source)}",
        ) from None  # the cause quotes the answer, and that holds the password


async def close_files(azure: Azure, source: FileSource, on_poll: OnPoll | None = None) -> None:
    """Close them: whoever has mounted them loses them. Raises the errors of `reconciler.errors`."""
    await _ask(azure, source, "revokeInstantItemRecovery", None, on_poll)


def revoke_command(source: FileSource) -> str:
    """What closes them."""
    return f"reconciler restore files {shlex.quote(source.label)} --revoke"


async def _ask(
    azure: Azure, source: FileSource, action: str, body: object, on_poll: OnPoll | None
) -> Mapping[str, object]:
    path = f"{source.item}/recoveryPoints/{source.point.name}/{action}"
    answer = await azure.send("POST", path, API_VERSION, body)
    operation = operation_from(answer.status, answer.headers, str(source.item))
    return await wait(azure, operation, limit=_LIMIT, on_poll=on_poll) if operation else {}


def _check(point: VaultPoint, points: Sequence[VaultPoint], label: str) -> None:
    when = spell_time(point.taken)
    if point.encrypted or not (point.snapshot or point.vault):
        what = "of encrypted disks" if point.encrypted else "in neither the snapshot nor the vault tier"
        raise UsageError(
            f"the files of the recovery point of {when} cannot be opened: it is {what}",
            advice=f"restore its disks, and attach them to a VM: reconciler restore disks {label}",
        )
    other = next((known for known in points if known.mounted and known.name != point.name), None)
    if other:
        raise UsageError(
            f"the files of another recovery point of {label} are open, that of {spell_time(other.taken)}",
            why="Azure opens one of a VM at a time",
            advice=f"unmount and close those first: reconciler restore files {label} --revoke",
        )


def _mount(scripts: Sequence[ScriptBody], until: datetime) -> Mount:
    """Raises ValueError where the answer has no script, or one without a password where clients look for it."""
    script = next((one for one in scripts if one.url), None) or next(iter(scripts), None)
    suffix = script.script_name_suffix if script else ""
    start = suffix.rfind("_") + _OFFSET
    password = suffix[start : start + _LENGTH]
    if script is None or len(password) < _LENGTH:
        raise ValueError
    name = f"{suffix[:start]}{suffix[start + _LENGTH :]}{script.script_extension}"
    if script.url:
        return Mount(name, until, url=script.url, password=password)
    content = base64.b64decode(script.script_content or "", validate=True)
    held, asks = (f'TargetPassword="{text}"'.encode() for text in (password, _ASKS))
    if held not in content:
        raise ValueError
    return Mount(name, until, script=content.replace(held, asks), password=password)
