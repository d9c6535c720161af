"""What the kinds have in common that no policy declares: resources that `reconciler restore` makes. They are made once,
under a name that is free, and never changed: all fields are `forbid`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import AbsentError, ConflictError, FailedError
from reconciler.kinds.base import Comparison, Expansion, Kind, Verdict
from reconciler.kinds.phrases import camel
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource, Spec
from reconciler.plan.change import Action, Reason, Step
from reconciler.plan.finding import Finding

S = TypeVar("S", bound=Spec)
B = TypeVar("B", bound=msgspec.Struct)
DISKS = "Microsoft.Compute/disks"
MACHINES = "Microsoft.Compute/virtualMachines"
INTERFACES = "Microsoft.Network/networkInterfaces"
_ENDED = frozenset({"", "succeeded", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is made: its address in our words, and its ARM id."""

    address: Address
    arm_id: ArmId

    @classmethod
    def of(cls, step: Step) -> Place:
        return cls(Address.parse(step.address), ArmId(step.arguments["id"]))

    def sibling(self, address: Address, provider: str) -> ArmId:
        """The ARM id of another resource of the same subscription, `provider` as `Microsoft.Compute/disks`."""
        group = address.scope.partition("/")[2]
        base = f"/subscriptions/{self.arm_id.subscription}/resourceGroups/{group}"
        return ArmId(f"{base}/providers/{provider}/{address.name}")

    def address_of(self, kind: str, arm_id: ArmId) -> Address:
        """The address of a resource that Azure names by id; in another subscription it is none of ours."""
        alias = self.address.subscription if arm_id.subscription == self.arm_id.subscription else arm_id.subscription
        return Address(kind, f"{alias}/{arm_id.resource_group}", arm_id.name)


class RestoredKind(Kind[S], Generic[S, B]):
    """A kind that is made by restores alone. `body` is what is read of it."""

    api_version: ClassVar[str]
    permission: ClassVar[str]
    usually: ClassVar[str]
    body: type[B]

    @abstractmethod
    def live_spec(self, body: B, wanted: S, place: Place) -> S:
        """What is there, spelled as `wanted` where it is the same."""

    @abstractmethod
    def state(self, body: B) -> str:
        """`provisioningState`."""

    @abstractmethod
    def title_of(self, spec: S, place: Place) -> str:
        """The step in words: "make disk … from snapshot …"."""

    @abstractmethod
    async def put(self, azure: Azure, spec: S, place: Place) -> Operation | None:
        """Send the write."""

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:  # noqa: ARG002 -- no policy declares one
        """Nothing: no policy declares one."""
        return iter(())

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:  # noqa: ARG002
        """Nothing: what a restore would make is looked at one by one (`look`)."""
        nothing: tuple[Resource, ...] = ()
        for resource in nothing:
            yield resource

    async def look(self, azure: Azure, wanted: Resource) -> Resource | None:
        """The live counterpart of a resource that a restore would make; None where its name is free. Raises what the
        read raises, but for AbsentError."""
        assert wanted.arm_id is not None
        place = Place(wanted.address, wanted.arm_id)
        body = await self._get(azure, place)
        if body is None:
            return None
        spec: S = self.live_spec(body, self.normalise(wanted.spec), place)  # type: ignore[arg-type]
        return Resource(wanted.address, spec, wanted.arm_id, wanted.location, observed=self.state(body))

    def judge(self, comparison: Comparison[S]) -> Verdict | None:
        """Blocked where the name is taken by something else."""
        if comparison.live is None or not comparison.fields:
            return None
        names = ", ".join(dict.fromkeys(_plain(change.path) for change in comparison.fields))
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"a {self.title} of this name is there already, with another {names}; "
            "a restore changes nothing that exists",
            "restore under another name, or remove that one first",
        )

    def steps(self, comparison: Comparison[S], verdict: Verdict) -> tuple[Step, ...]:
        """One PUT."""
        desired = comparison.desired
        if verdict.action is not Action.CREATE or desired is None or desired.arm_id is None:
            return ()
        place = Place(comparison.address, desired.arm_id)
        return (
            Step(
                id=f"{comparison.address}#create",
                kind=self.name,
                address=str(comparison.address),
                verb="create",
                title=self.title_of(comparison.wanted_spec, place),
                arguments={"id": str(desired.arm_id), "spec": msgspec.to_builtins(comparison.wanted_spec)},
                lane=str(desired.arm_id.parent(2)),
                permission=self.permission,
                usually=self.usually,
            ),
        )

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """Make it, unless it is there as asked. Raises ConflictError where somebody has taken the name meanwhile."""
        place, spec = Place.of(step), self._spec(step)
        body = await self._get(azure, place)
        if body is None:
            return await self.put(azure, spec, place)
        differing = self._differing(body, spec, place)
        if differing:
            raise ConflictError(
                f"{place.arm_id} is there already, and it is not what was to be made",
                resource=str(place.arm_id),
                why=f"it has another {', '.join(differing)}; a restore changes nothing that exists",
                advice="restore under another name, or remove that one first",
            )
        return self._under_way(body, place)

    async def verify(self, azure: Azure, step: Step) -> None:
        """It is there, ready, and what was asked for."""
        place, spec = Place.of(step), self._spec(step)
        body = await azure.get(str(place.arm_id), self.api_version, self.body)
        differing = self._differing(body, spec, place)
        if self.state(body).lower() not in ("", "succeeded"):
            differing.append("provisioningState")
        if differing:
            raise FailedError(
                f"{self.title} {place.arm_id.name} is not as written: {', '.join(differing)}",
                resource=str(place.arm_id),
                why=f"Azure accepted the write; its state is {self.state(body) or 'unknown'}",
                advice="look at it in the portal; what is half made is not removed by itself",
            )

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:  # noqa: ARG002
        """One that is still being made."""
        place = Place.of(step)
        body = await self._get(azure, place)
        return self._under_way(body, place) if body is not None else None

    async def _get(self, azure: Azure, place: Place) -> B | None:
        try:
            return await azure.get(str(place.arm_id), self.api_version, self.body)
        except AbsentError:
            return None

    def _under_way(self, body: B, place: Place) -> Operation | None:
        if self.state(body).lower() in _ENDED:
            return None
        url = f"{place.arm_id}?api-version={self.api_version}"
        return Operation(url=url, via="resource", resource=str(place.arm_id))

    def _spec(self, step: Step) -> S:
        return msgspec.convert(step.arguments["spec"], self.spec)

    def _differing(self, body: B, spec: S, place: Place) -> list[str]:
        live = self.live_spec(body, spec, place)
        return [camel(name) for name in spec.__struct_fields__ if getattr(live, name) != getattr(spec, name)]


def _plain(path: str) -> str:
    """The field that a path is in, as people call it: an id and what it names are one."""
    field = path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    return camel(field.removesuffix("_unique_id").removesuffix("_id"))


def same_id(live: str, wanted: str) -> str:
    """The id as `wanted` spells it where both are one resource: Azure answers in a casing of its own."""
    return wanted if live and wanted and ArmId(live) == ArmId(wanted) else live


def same_word(live: str, wanted: str) -> str:
    """The word as `wanted` spells it where only the casing differs."""
    return wanted if live.casefold() == wanted.casefold() else live
