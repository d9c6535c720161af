"""What a person asks to be done with a recovery plan or a replicated VM: the command line."""

from __future__ import annotations

from typing import Literal

import msgspec

Verb = Literal["drill", "cleanup", "failover", "commit", "reprotect", "failback"]
LATEST, PROCESSED, CONSISTENT = "latest", "latest-processed", "latest-app-consistent"


class OperationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`target` is a recovery plan or a VM, as a person writes it. "" leaves a value to the policies.

    `to` is the region to fail over to; `point` the recovery point: one of the three words, a time in ISO 8601, or the
    name of a point; `shutdown`: whether the source VMs are shut down first. `network` is the ARM id of the network of a
    drill; `manual`: whether a plan may wait for people in a drill; `check` a command that is run for each test VM, by
    the shell. `account` is the ARM id of the cache storage account of a reprotection.
    """

    verb: Verb
    target: str
    to: str = ""
    point: str = LATEST
    shutdown: bool = False
    network: str = ""
    manual: bool = False
    check: str = ""
    account: str = ""
