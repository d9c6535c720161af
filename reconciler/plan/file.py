"""The saved plan: versioned JSON that can be posted in public, since it holds no secret; its shape is `document`."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

from reconciler.errors import PlanDigestError, PlanFileError
from reconciler.plan.change import BY_TIME
from reconciler.plan.document import FORMAT_VERSION, PlanDocument, change_of, check_of, entries
from reconciler.plan.plan import Plan


class _Version(msgspec.Struct, frozen=True):
    format_version: str


def encode(plan: Plan, *, drift: bool = False) -> bytes:
    """The plan as indented JSON. With `drift` the changes stand under `resource_drift`, as Terraform puts what changed
    behind its back, and those that only the clock asks for under `due`; such a document is for reading and cannot be
    loaded."""
    document = PlanDocument(
        format_version=FORMAT_VERSION,
        timestamp=plan.created,
        applyable=plan.applyable and not drift,
        complete=plan.complete,
        errored=bool(plan.errors),
        resource_changes=() if drift else entries(plan, plan.changes),
        resource_drift=entries(plan, (item for item in plan.changes if item.reason not in BY_TIME)) if drift else (),
        checks=tuple(check_of(refusal) for refusal in plan.refusals),
        deferred=entries(plan, plan.deferred),
        findings=plan.findings,
        refusals=plan.refusals,
        allowed=plan.allowed,
        unchanged=plan.unchanged,
        machines=plan.machines,
        unknown=plan.unknown,
        targets=plan.targets,
        excludes=plan.excludes,
        policies=plan.policies,
        basis=plan.basis,
        digest=plan.digest,
        due=entries(plan, plan.due) if drift else (),
        restore=plan.restore or msgspec.UNSET,
        base=plan.base or msgspec.UNSET,
        only=plan.only or msgspec.UNSET,
    )
    sealed = msgspec.structs.replace(document, checksum=_checksum(msgspec.json.encode(document)))
    return msgspec.json.format(msgspec.json.encode(sealed), indent=2) + b"\n"


def decode(body: bytes, name: str = "the plan file") -> Plan:
    """The inverse of `encode`. Raises PlanFileError for anything that `encode` of this version did not write."""
    try:
        version = msgspec.json.decode(body, type=_Version).format_version
        _check_version(version, name)
        document = msgspec.json.decode(body, type=PlanDocument)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise PlanFileError(
            f"{name} is not a plan file, or is cut short",
            why=str(error),
            advice="make it again with `reconciler plan --out`",
        ) from None
    if document.resource_drift or document.due:
        raise PlanFileError(f"{name} is a drift report, which cannot be applied", advice="make a plan with --out")
    if document.checksum != _checksum(body) or document.digest != (plan := _plan(document)).digest:
        raise PlanFileError(
            f"{name} was changed after it was written",
            why="its checksum does not match its content",
            advice="never edit a plan: make it again with `reconciler plan --out`",
        )
    return plan


def save(plan: Plan, path: Path) -> str:
    """Write the plan whole or not at all, readable by its owner only, and answer the SHA-256 of the file. Raises
    PlanFileError."""
    body = encode(plan)
    draft = None
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is there and not a file")
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".plan-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise PlanFileError(
            f"cannot write the plan to {path}", why=error.strerror or str(error), advice="name a file you may write to"
        ) from None
    return hashlib.sha256(body).hexdigest()


def load(path: Path, digest: str | None = None) -> Plan:
    """Read a saved plan. Raises PlanFileError where it is missing, damaged, edited, or of an unknown version, and
    PlanDigestError where `digest` is given and is not the SHA-256 of the file: of all of it, since what lifts a guard
    is no change, and `Plan.digest` covers changes only."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise PlanFileError(
            f"cannot read {path}", why=error.strerror or str(error), advice="make a plan with `reconciler plan --out`"
        ) from None
    found = hashlib.sha256(body).hexdigest()
    if digest is not None and found != digest:
        raise PlanDigestError(
            f"{path} is not the plan that --digest names; nothing was changed",
            why=f"the SHA-256 of the file is {found}, not {digest}: it was made by another run, or changed since",
            advice="apply the file of the plan that was approved, or plan again and have that approved",
        )
    return decode(body, str(path))


def _check_version(version: str, name: str) -> None:
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise PlanFileError(
            f"{name} has format version {version}; this program reads {FORMAT_VERSION.partition('.')[0]}.x",
            why="a plan is applied only by a program that understands all of it",
            advice="plan and apply with the same version of reconciler",
        )


def _checksum(body: bytes) -> str:
    """SHA-256 over every field but the checksum itself, also those that a later minor version added."""
    values = msgspec.json.decode(body)
    values.pop("checksum")
    return hashlib.sha256(msgspec.json.encode(values, order="deterministic")).hexdigest()


def _plan(document: PlanDocument) -> Plan:
    told = (*document.resource_changes, *document.deferred)
    return Plan(
        created=document.timestamp,
        changes=tuple(change_of(entry) for entry in document.resource_changes),
        deferred=tuple(change_of(entry) for entry in document.deferred),
        findings=document.findings,
        refusals=document.refusals,
        allowed=document.allowed,
        unchanged=document.unchanged,
        basis=document.basis,
        complete=document.complete,
        policies=document.policies,
        targets=document.targets,
        excludes=document.excludes,
        unknown=document.unknown,
        machines=document.machines,
        restore=document.restore or None,
        base=document.base or None,
        only=document.only or "",
        origins={entry.address: entry.provenance for entry in told if entry.provenance},
        last_writes={entry.address: entry.last_writes for entry in told if entry.last_writes},
    )
