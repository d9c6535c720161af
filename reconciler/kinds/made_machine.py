"""VMs that a failover or a drill made: whether they run, their addresses, and what a person's own check says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import AbsentError, FailedError
from reconciler.model.arm_id import ArmId
from reconciler.model.duration import format_age

MACHINES_API, INTERFACES_API = "2025-04-01", "2024-05-01"
PATIENCE = 600.0
"""Seconds that a check may take."""
_LAST_LINES = 5
_LONGEST_LINE = 200


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer: what we do not look at is left out."""


class StatusBody(_Body, frozen=True):
    """One of `statuses`: `PowerState/running`."""

    code: str = ""


class ViewBody(_Body, frozen=True):
    """`instanceView`."""

    statuses: tuple[StatusBody, ...] | None = None


class ReferenceBody(_Body, frozen=True):
    id: str


class ProfileBody(_Body, frozen=True):
    network_interfaces: tuple[ReferenceBody, ...] | None = None


class DiskReference(_Body, frozen=True):
    managed_disk: ReferenceBody | None = None


class StorageBody(_Body, frozen=True):
    os_disk: DiskReference = DiskReference()
    data_disks: tuple[DiskReference, ...] | None = None


class MachineProperties(_Body, frozen=True):
    instance_view: ViewBody | None = None
    network_profile: ProfileBody | None = None
    storage_profile: StorageBody = StorageBody()


class MachineBody(_Body, frozen=True):
    """A VM, with its instance view where that was asked for."""

    properties: MachineProperties = MachineProperties()

    @property
    def power(self) -> str:
        """`running`, `deallocated`; "" where Azure does not say."""
        view = self.properties.instance_view
        codes = (status.code for status in (view.statuses if view else None) or ())
        return next((code.partition("/")[2] for code in codes if code.startswith("PowerState/")), "")

    @property
    def disks(self) -> tuple[str, ...]:
        """ARM ids of its managed disks, the OS disk first."""
        storage = self.properties.storage_profile
        every = (storage.os_disk, *(storage.data_disks or ()))
        return tuple(one.managed_disk.id for one in every if one.managed_disk)


class AddressProperties(_Body, frozen=True):
    private_ip_address: str | None = msgspec.field(name="privateIPAddress", default=None)


class AddressBody(_Body, frozen=True):
    properties: AddressProperties = AddressProperties()


class InterfaceProperties(_Body, frozen=True):
    ip_configurations: tuple[AddressBody, ...] | None = None


class InterfaceBody(_Body, frozen=True):
    """A network interface."""

    properties: InterfaceProperties = InterfaceProperties()


async def read_machine(azure: Azure, machine: ArmId) -> MachineBody:
    """Raises AbsentError where it is not there."""
    return await azure.get(str(machine), MACHINES_API, MachineBody, **{"$expand": "instanceView"})


async def check_running(azure: Azure, machine: ArmId | None, what: str) -> ArmId:
    """Raises FailedError where Azure made no VM, or it does not run. `what` it was made of, for people."""
    if machine is None:
        raise FailedError(f"Azure tells of no VM that was made of {what}", advice="look at the job in the portal")
    try:
        power = (await read_machine(azure, machine)).power
    except AbsentError as error:
        raise FailedError(
            f"VM {machine.name}, made of {what}, is not there", resource=str(machine), why=error.why
        ) from None
    if power != "running":
        raise FailedError(
            f"VM {machine.name}, made of {what}, does not run",
            resource=str(machine),
            why=f"its power state is {power or 'unknown'}",
            advice="look at its boot diagnostics and at the job in the portal",
        )
    return machine


async def read_addresses(azure: Azure, machine: ArmId) -> tuple[str, ...]:
    """The private addresses of a VM, those of its first interface first."""
    profile = (await read_machine(azure, machine)).properties.network_profile
    found: list[str] = []
    for reference in (profile.network_interfaces if profile else None) or ():
        interface = await azure.get(reference.id, INTERFACES_API, InterfaceBody)
        addresses = (one.properties.private_ip_address for one in interface.properties.ip_configurations or ())
        found += [address for address in addresses if address]
    return tuple(found)


async def run_check(command: str, variables: Mapping[str, str], what: str, patience: float = PATIENCE) -> None:
    """Runs a person's command by the shell, in a session of its own: Ctrl-C is ours. Raises FailedError where it does
    not end with 0, with the last it said, or takes longer than `patience` seconds: then it is killed."""
    process = await asyncio.create_subprocess_shell(
        command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), patience)
    except TimeoutError:
        raise FailedError(
            f"the check of {what} did not end within {format_age(timedelta(seconds=patience))}",
            why=f"the command was: {command}",
            advice="let it give up by itself, as curl --max-time does",
        ) from None
    finally:
        if process.returncode is None:
            _kill(process)
            await process.wait()
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-_LAST_LINES:]
        last = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..." for line in last]
        raise FailedError(
            f"the check of {what} ended with exit code {process.returncode}",
            why="; ".join(last) or "it said nothing",
            advice=f"the command was: {command}",
        )


def _kill(process: Process) -> None:
    """With all that it has started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
