"""What goes on: our own steps that are not known to have ended, and what Azure's vaults are working on."""

from __future__ import annotations

from datetime import datetime

import msgspec


class OwnStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an earlier run that is open. `accepted`: Azure took it up; `owed`: it takes something back, and is
    still to be done. `job` is Azure's name for it, `progress` how far that is, where it can be told."""

    address: str
    title: str
    since: datetime
    accepted: bool
    owed: bool
    job: str = ""
    progress: str = ""


class RunningJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job of a vault that has not ended. `service` is Azure Backup or Site Recovery, `what` Azure's word for it, `of`
    the VM or plan that it works on. Times are aware UTC."""

    vault: str
    service: str
    name: str
    what: str
    of: str
    state: str
    since: datetime | None = None
    progress: str = ""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """`applying` says who applies right now, "" where nobody does on this machine; `locked` who holds the lock between
    machines; `unread` what could not be read."""

    now: datetime
    applying: str = ""
    locked: str = ""
    steps: tuple[OwnStep, ...] = ()
    jobs: tuple[RunningJob, ...] = ()
    unread: tuple[str, ...] = ()
