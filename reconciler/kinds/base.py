"""The contract of a resource kind: one kind = one module (or package), and no other module names a kind.

A kind brings the shape of its YAML (documents, aspect), the typed spec that both sides become, the rules by which a
field may change, the reading of live resources from lists, and the steps that close a difference. Everything else
(selection, comparison, guards, ordering, saving, showing, applying) is generic and lives on the floors above.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from reconciler.kinds.phrases import Phrase, spoken
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document, Path
from reconciler.model.explanation import Setting
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.protection import Protection
from reconciler.model.resource import Resource, Spec, State
from reconciler.model.scope import Objectives
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Consequence, FieldChange, Reason, Step
from reconciler.plan.finding import Finding

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure
    from reconciler.azure.operations import Operation
    from reconciler.kinds.adoption import Adopted, AdoptedEstate

S = TypeVar("S", bound=Spec)


class Rule(StrEnum):
    """What a difference in one field leads to. There is no `replace`."""

    UPDATE = "update"
    FORBID = "forbid"
    IGNORE = "ignore"


class Quota(StrEnum):
    """A daily allowance of a vault that Azure counts (BP-53), and what a vault holds of the things it is spent on."""

    POLICY_WRITES = "policy_writes"
    CONFIGURATIONS = "configurations"


def _selects_nothing(_: Any) -> Iterable[tuple[Path, Selector]]:
    return ()


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A top-level `kind:` of the policy language that a resource kind brings.

    `type` is a msgspec struct without `apiVersion`, `kind` and `name` (the loader adds those to the schema). `check`
    yields the offline rules that the document breaks; it never raises on any value that passed the JSON Schema.
    `selectors` names the selectors of a value, each with its path in YAML: they are checked like those of a Protection,
    and `Expansion.selected` holds the VMs that they match. `references` maps fields that hold the name of a document to
    that document's kind, as in `Aspect`.
    """

    name: str
    type: type[msgspec.Struct]
    check: Callable[[Document[Any], Declared], Iterable[Finding]]
    description: str = ""
    selectors: Callable[[Any], Iterable[tuple[Path, Selector]]] = _selects_nothing
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Aspect:
    """A key of `Protection` that a resource kind brings (`backup`).

    `references` maps fields of `type` that hold the name of a document to that document's kind: unknown names are
    reported by the loader. `check` receives the Protection document and the aspect's value.
    """

    name: str
    type: type[msgspec.Struct]
    references: Mapping[str, str]
    check: Callable[[Document[Protection], Any, Declared], Iterable[Finding]]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One VM gets one aspect from one Protection, all overlaps resolved. `source` is where the aspect stands."""

    machine: Machine
    aspect: str
    value: Any
    protection: Document[Protection]
    source: Source
    objectives: Objectives


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a kind turns into desired resources: the documents, the assignments of its aspect, what is live (for
    placement only), and `wanted`: the addresses that resources expanded so far refer to and nobody has made yet.

    `selected` holds the VMs that the selectors of the kind's own documents match, by kind and name of the document and
    path in it, in the order of `live.machines`. Of a subscription that could not be read there are none.
    """

    declared: Declared
    assignments: tuple[Assignment, ...]
    live: Live
    wanted: frozenset[Address]
    now: datetime
    selected: Mapping[tuple[str, str, Path], tuple[Machine, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """Both sides, whole, for judgements that need more than one resource."""

    declared: Declared
    desired: State
    live: Live
    now: datetime


class Ownership(StrEnum):
    """What a live resource is to us when no policy asks for it.

    RELEASED: ours until the policies dropped it. UNMANAGED: reported, never touched. IGNORED: not worth a word
    (a built-in policy, a soft-deleted item of nobody).
    """

    RELEASED = "released"
    UNMANAGED = "unmanaged"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Comparison(Generic[S]):
    """One resource on both sides. `fields` are the differences that count (rule not `ignore`), in spec order."""

    address: Address
    desired: Resource | None
    live: Resource | None
    fields: tuple[FieldChange, ...]
    situation: Situation

    @property
    def wanted_spec(self) -> S:
        """The desired spec; only where `desired` is there."""
        assert self.desired is not None
        return self.desired.spec  # type: ignore[return-value]

    @property
    def live_spec(self) -> S:
        """The live spec; only where `live` is there."""
        assert self.live is not None
        return self.live.spec  # type: ignore[return-value]

    def changed(self, *names: str) -> bool:
        """True where one of these top-level spec fields differs."""
        return any(change.path.split(".", 1)[0].split("[", 1)[0] in names for change in self.fields)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a kind makes of a comparison: the action, and the words for it."""

    action: Action
    reason: Reason
    why: str = ""
    manual: str = ""
    """For blocked changes: the way out by hand, with its cost."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read yields: resources, and the collections that could not be read."""

    resources: list[Resource] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


class Kind(ABC, Generic[S]):
    """Everything special about one kind of resource. Instances hold no state."""

    name: ClassVar[str]
    title: ClassVar[str]
    """For people, in the singular: "protected VM"."""
    spec: type[S]
    rules: ClassVar[Mapping[str, Rule]]
    """Rule per top-level spec field; every field of the spec has one (a law, tested over all kinds)."""
    documents: ClassVar[tuple[DocumentKind, ...]] = ()
    aspect: ClassVar[Aspect | None] = None
    per_machine: ClassVar[bool] = False
    """Whether each resource is the protection of one VM, under the VM's own scope and name."""
    serves: ClassVar[str] = ""
    """An aspect, brought by another kind, whose assignments this kind turns into resources, too."""
    quota: ClassVar[Quota | None] = None
    """The allowance of its lane that every step of this kind takes one of; None: not counted."""
    order_only: ClassVar[frozenset[str]] = frozenset()
    """Reference fields that say what must be settled first, and no more: where that is there but cannot be changed,
    this resource goes on without."""

    @abstractmethod
    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """The desired resources of this kind. Pure. Kinds are asked in the order of the registry: dependants first."""

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        """The live resources of this kind in the policy language: documents, what single VMs have of its aspect, and
        what is left out and why. Pure; the inverse of `expand`. Kinds are asked in reverse order of the registry: what
        others refer to comes first. Nothing is yielded that would not expand to exactly what is live."""
        return iter(())

    @abstractmethod
    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """Live resources from list calls, in every subscription of the Scope; collections run concurrently.

        A list that fails becomes an `Unreadable`, never an absence, and never stops the other lists.
        """

    def normalise(self, spec: S) -> S:
        """The one spelling of equal specs; idempotent; applied to both sides."""
        return spec

    def judge(self, comparison: Comparison[S]) -> Verdict | None:
        """The verdict where the generic one (create, update, blocked by a forbidden field) does not say enough; None
        leaves it to the engine. Only this may turn a difference into undelete, resume, release or blocked."""
        return None

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        """What a live resource is to us that no policy asks for."""
        return Ownership.UNMANAGED

    @abstractmethod
    def steps(self, comparison: Comparison[S], verdict: Verdict) -> tuple[Step, ...]:
        """The writes that close the difference, in order. Pure; runs at plan time. Dependencies on other resources are
        not its business (the engine reads them from `Ref` fields); the order among these steps is."""

    def consequences(self, comparison: Comparison[S], verdict: Verdict) -> tuple[Consequence, ...]:
        """What the change does to data, in plain words with figures. Pure."""
        return ()

    def describe(self, spec: S) -> Iterable[Phrase]:
        """What the spec says, for people, in the order of the policies; nothing for what is left to Azure. Pure."""
        return spoken(spec)

    def settings(self, assignment: Assignment, declared: Declared) -> Iterable[Setting]:
        """For `explain`: what an assignment of this kind's own aspect comes to for its VM, each value with its line;
        nothing where the VM's own resources tell it."""
        return ()

    def summarise(self, spec: S) -> str:
        """What a new resource is told, in half a sentence after "will be created"; "" lists what `describe` says."""
        return ""

    def outcome(self, resource: Resource, objectives: Objectives, now: datetime) -> Iterable[Finding]:
        """Whether the live resource keeps what was promised: objectives, failing backups."""
        return ()

    def logged_at(self, change: Change) -> ArmId | None:
        """The id under which Azure's Activity Log keeps the writes to it, also where it is gone. None: not known."""
        return ArmId(change.arm_id) if change.arm_id else None

    @abstractmethod
    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """Send the step's write: the only side effect. Returns the operation to wait for, or None when it is done.

        Safe to repeat: the same step sent twice leaves the same resource. Raises the errors of `reconciler.errors`.
        """

    @abstractmethod
    async def verify(self, azure: Azure, step: Step) -> None:
        """Read back what the step wrote. Raises FailedError naming the field that is not as written."""

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        """An operation that this very step may have started at or after `since`, in a run that was killed between
        sending and noting it: found on Azure's side (jobs, provisioning state). None: nothing runs, send it again."""
        return None
