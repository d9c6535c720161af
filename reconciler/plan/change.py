"""What would change, as pure data: it is saved, shown and applied without looking anything up again."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from reconciler.model.source import Source

ABSENT = "absent"
"""The fingerprint, in a basis, of what is not there."""


class Action(StrEnum):
    """What happens to one resource. `blocked` is a difference that we refuse to act on."""

    CREATE = "create"
    UPDATE = "update"
    RELEASE = "release"
    UNDELETE = "undelete"
    DELETE = "delete"
    NO_OP = "no-op"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why there is a change: one word for reports, `Change.why` holds the sentence."""

    NOT_IN_AZURE = "not_in_azure"
    DIFFERS = "differs"
    STOPPED = "protection_stopped"
    SUSPENDED = "backups_suspended"
    SOFT_DELETED = "soft_deleted"
    OTHER_VAULT = "in_other_vault"
    NOT_DECLARED = "no_longer_declared"
    CANNOT_CHANGE = "cannot_change_in_place"
    UNREADABLE = "live_state_unreadable"
    DEPENDS_ON_BLOCKED = "depends_on_blocked"
    DEFERRED = "service_limit"
    FROZEN = "change_freeze"
    SEEDING = "initial_replication"
    UNFINISHED = "setup_unfinished"
    ASKED = "asked_for"
    FIRST = "first_due"
    DUE = "due"
    EXPIRED = "retention_ended"


BY_TIME = frozenset({Reason.DUE, Reason.EXPIRED})
"""Reasons of changes that nobody made necessary but the clock: they are due, and no drift."""
OF_A_SLOT = BY_TIME | {Reason.FIRST}
"""Reasons of changes that are others once their slot is over. The first of a schedule is missing: it is drift, too."""


class Phase(StrEnum):
    """Setup steps run after what they now need; teardown steps before what they used to need."""

    SETUP = "setup"
    TEARDOWN = "teardown"


class Effect(StrEnum):
    """What a change does to recoverability; the order is that of alarm."""

    NONE = "none"
    STRENGTHENS = "strengthens"
    SEEDS = "seeds"
    STOPS = "stops"
    WEAKENS = "weakens"
    PRUNES = "prunes"
    IRREVERSIBLE = "irreversible"
    DELETES = "deletes"


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """The effect on data in plain words, with the figures that the sentence was made from.

    `figures` are whole numbers by name (`recovery_points_pruned`, `days_until_gone`, `full_backups_gib`). That of
    `gib_at_most` is summed up where a report tells of several resources at once, also in `text`, as `128 GiB` there.
    """

    effect: Effect
    text: str
    figures: dict[str, int] = {}


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One difference inside a resource. `path` is dotted (`retention.daily`); values are plain JSON values."""

    path: str
    before: Any = None
    after: Any = None


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a change for people: `name` as the policies write it (`softDelete.days`), both sides in words, "" for
    a side that says nothing. `source` is the line of the policies that asks for `after`."""

    name: str
    before: str = ""
    after: str = ""
    source: Source | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write to Azure: a node of the graph.

    `id` is unique in the plan (`<address>#<verb>`); `verb` is the kind's own word for `Kind.perform`; `arguments` is
    all that it needs, as JSON values, and never a secret. `exclusive` steps have the `lane` (a vault's id) to
    themselves. `after` lists step ids that must be done first. `permission` is the role action that it takes;
    `usually` is how long it commonly runs, for people.
    """

    id: str
    kind: str
    address: str
    verb: str
    title: str
    arguments: dict[str, Any] = {}
    phase: Phase = Phase.SETUP
    lane: str = ""
    exclusive: bool = False
    after: tuple[str, ...] = ()
    permission: str = ""
    usually: str = ""
    needs_approval: str = ""
    """Id of the Resource Guard whose approval it needs (BP-86); "" means none."""
    always: bool = False
    """Whether it runs once all that it waits for has ended, well or not, and after Ctrl-C, too: a clean-up."""
    undoes: str = ""
    """Id of the step that it takes back: it runs only where that one was begun, and is owed until it is done."""
    long: bool = False
    """Whether it takes so long that `--no-wait` leaves it once Azure has accepted it."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happens to one resource, in the order of its steps.

    `why` is the sentence behind `reason`. `before` and `after` are the specs as plain JSON values (None: not there).
    `lane` is the vault it belongs to, for guards that count per vault; `manual` is the way out of a blocked change.
    `basis` maps the address of this resource and of each that it refers to, to the fingerprint of its live value
    (`absent` where there is none): apply refuses when one of them is another by then. `title` is the kind for people;
    `protects` is True where the resource is the protection of one VM.
    """

    address: str
    kind: str
    action: Action
    reason: Reason
    why: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    fields: tuple[FieldChange, ...] = ()
    details: tuple[Detail, ...] = ()
    summary: str = ""
    consequences: tuple[Consequence, ...] = ()
    steps: tuple[Step, ...] = ()
    source: Source | None = None
    lane: str = ""
    manual: str = ""
    arm_id: str = ""
    title: str = ""
    protects: bool = False
    basis: dict[str, str] = {}

    @property
    def effect(self) -> Effect:
        """The most alarming of its consequences."""
        order = list(Effect)
        return max((item.effect for item in self.consequences), key=order.index, default=Effect.NONE)
