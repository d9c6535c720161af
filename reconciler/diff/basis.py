"""What a plan rests on: fingerprints of live values. `apply` compares them before it writes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.resource import Resource, State
from reconciler.plan.change import ABSENT


class Fingerprints:
    """Fingerprints of live resources, each worked out once a plan.

    A fingerprint covers where the resource lives, its managed fields, and what was observed of it, except for fields
    marked `VOLATILE`, which change by themselves (health, last recovery point).
    """

    def __init__(self, live: State) -> None:
        self._live = live
        self._known: dict[Address, str] = {}

    def of(self, address: Address) -> str:
        """16 hexadecimal digits of a SHA-256, or `absent`."""
        found = self._known.get(address)
        if found is None:
            resource = self._live.get(address)
            found = self._known[address] = ABSENT if resource is None else fingerprint(resource)
        return found

    def among(self, addresses: Iterable[Address]) -> dict[str, str]:
        """Address → fingerprint, sorted."""
        return {str(address): self.of(address) for address in sorted(addresses)}


def fingerprint(resource: Resource) -> str:
    values = (
        resource.arm_id.key if resource.arm_id else "",
        resource.location,
        resource.spec,
        _steady(resource.observed),
    )
    body = msgspec.json.encode(values, enc_hook=_encode, order="deterministic")
    return hashlib.sha256(body).hexdigest()[:16]


def _steady(observed: Any) -> Any:
    if not dataclasses.is_dataclass(observed) or isinstance(observed, type):
        return observed
    return {
        field.name: getattr(observed, field.name)
        for field in dataclasses.fields(observed)
        if not field.metadata.get("volatile")
    }


def _encode(value: Any) -> Any:
    if isinstance(value, ArmId):
        return value.key
    if isinstance(value, Address):
        return value.key
    raise TypeError(f"a fingerprint cannot cover a {type(value).__name__}")
