"""Plans to look at: one with everything in it, and one whose names try to break out of every format."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Consequence, Detail, Effect, FieldChange, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Base, LastWrites, Origin, Provenance, Write

GOLDEN = Path(__file__).parents[1] / "golden"
VAULT = "prod/rg-backup/rsv-weu"
POLICY = f"backup_policy.{VAULT}/daily-30d"
FILE = "policies/backup-policies.yaml"
PLACE = Source("policies/protections/web.yaml", 12, 3)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares with tests/golden/NAME; `make golden` (UPDATE_GOLDEN=1) writes it."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text + "\n", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text + "\n", f"{name} is not as it was: make golden, and look"

    return check


def step(address: str, verb: str, title: str, **values: str) -> Step:
    return Step(
        id=f"{address}#{verb}",
        kind=address.split(".", maxsplit=1)[0],
        address=address,
        verb=verb,
        title=title,
        permission="Microsoft.RecoveryServices/vaults/write",
        **values,
    )


def vm(name: str, action: Action, reason: Reason, **values: object) -> Change:
    address = f"protected_vm.prod/rg-web/{name}"
    steps = () if action is Action.BLOCKED else (step(address, "protect", f"protect {name} in vault rsv-weu"),)
    fields: dict[str, object] = {"steps": steps, "source": PLACE, **values}
    return Change(
        address=address,
        kind="protected_vm",
        title="protected VM",
        protects=True,
        action=action,
        reason=reason,
        **fields,  # type: ignore[arg-type]
    )


def new(name: str) -> Change:
    after = {"policy": POLICY, "state": "Protected", "disks": {"type": "only", "luns": [0, 1]}}
    details = (Detail(name="policy", after="daily-30d"), Detail(name="disks", after="data disks 0, 1 only"))
    summary = "with policy daily-30d in vault rsv-weu, data disks 0, 1 only"
    seeds = Consequence(effect=Effect.SEEDS, text="the first backup is a full one")
    return vm(
        name,
        Action.CREATE,
        Reason.NOT_IN_AZURE,
        why="not in Azure yet",
        after=after,
        details=details,
        summary=summary,
        consequences=(seeds,),
    )


def changes() -> tuple[Change, ...]:
    pruned = Consequence(
        effect=Effect.PRUNES,
        text="prunes up to 16 recovery points of each of 212 VMs (3,392 in all) within a day: daily 30 → 14",
        figures={"recovery_points_pruned": 3392},
    )
    policy = Change(
        address=POLICY,
        kind="backup_policy",
        title="backup policy",
        action=Action.UPDATE,
        reason=Reason.DIFFERS,
        why="retention differs",
        before={"retention": {"daily": 30}},
        after={"retention": {"daily": 14, "weekly": 4}},
        fields=(
            FieldChange(path="retention.daily", before=30, after=14),
            FieldChange(path="retention.weekly", before=None, after=4),
            FieldChange(path="tags.owner", before="web", after=None),
        ),
        details=(
            Detail(name="retention.daily", before="30 days", after="14 days", source=Source(FILE, 9, 11)),
            Detail(name="retention.weekly", after="4 weeks (Sunday)", source=Source(FILE, 9, 11)),
            Detail(name="tags.owner", before="web"),
        ),
        consequences=(pruned,),
        steps=(step(POLICY, "put", "update backup policy daily-30d in vault rsv-weu", needs_approval="/guards/g1"),),
        source=Source(FILE, 3, 1),
    )
    gone = "protected_vm.prod/rg-web/vm-undone"
    undelete = vm("vm-undone", Action.UNDELETE, Reason.SOFT_DELETED, why="soft-deleted, 11 d until its data is gone")
    return (
        policy,
        *(new(f"vm-web-{number:02}") for number in range(1, 13)),
        msgspec.structs.replace(
            undelete,
            fields=(FieldChange(path="state", before="SoftDeleted", after="Protected"),),
            details=(Detail(name="state", before="soft-deleted", after="protected", source=PLACE),),
            steps=(step(gone, "undelete", "undelete", usually="1 min"), step(gone, "resume", "resume protection")),
        ),
        vm(
            "vm-web-77",
            Action.UPDATE,
            Reason.DIFFERS,
            why="differs in policy",
            before={"policy": "DefaultPolicy"},
            after={"policy": "daily-30d"},
            details=(Detail(name="policy", before="DefaultPolicy", after="daily-30d", source=PLACE),),
            consequences=(Consequence(effect=Effect.STRENGTHENS, text="promises more: daily retention 7 d → 30 d"),),
        ),
        vm("vm-old", Action.RELEASE, Reason.NOT_DECLARED, why="no policy asks for it any longer", source=None),
        vm(
            "vm-data",
            Action.DELETE,
            Reason.NOT_DECLARED,
            why="its vault says deleteData",
            source=None,
            consequences=(Consequence(effect=Effect.DELETES, text="deletes 30 recovery points after 14 days"),),
        ),
        vm(
            "vm-legacy",
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            why="an Enhanced policy cannot be exchanged for a Standard one (BP-40)",
            manual="stop protection with retained data, delete it after 30 d, and run again",
            fields=(FieldChange(path="policy", before="enhanced", after="daily-30d"),),
            details=(Detail(name="policy", before="enhanced", after="daily-30d"),),
        ),
    )


def findings() -> tuple[Finding, ...]:
    return (
        Finding(code="unreadable", message="cannot list vaults of dev (AuthorizationFailed)", severity=Severity.WARNING,
                advice="grant Reader", address="dev"),
        Finding(code="BP-52", message="120 VMs use this policy", severity=Severity.DOUBT,
                source=Source("policies/backup-policies.yaml", 3, 1), also=(PLACE,)),
        *(
            Finding(code="uncovered", message="no Protection and no Exemption names this VM", severity=Severity.WARNING,
                    advice="add it to one", address=f"virtual_machine.prod/rg-lab/vm-{number}")
            for number in range(12)
        ),
        *(
            Finding(code="rpo-missed", message=f"the newest recovery point is {days} d old; promised is 24h",
                    topic="objectives", severity=Severity.WARNING, advice="see why its backups do not run",
                    address=f"protected_vm.prod/rg-web/vm-sick-{days}")
            for days in range(2, 9)
        ),
        Finding(code="unmanaged", message="no policy asks for it; it is left as it is",
                topic="unmanaged", severity=Severity.INFO, address="vault.prod/rg-x/rsv-foreign"),
        Finding(code="unused", message="no Protection uses this policy", severity=Severity.INFO,
                source=Source("policies/backup-policies.yaml", 40, 1)),
    )  # fmt: skip


@pytest.fixture
def drifted() -> Plan:
    """What somebody changed behind our back, with nothing in the way of healing it."""
    lane = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/rg-backup/providers/x/vaults/rsv-weu"
    moved = next(change for change in changes() if change.address.endswith("vm-web-77"))
    stopped = vm(
        "vm-web-78",
        Action.UPDATE,
        Reason.STOPPED,
        why="backups were stopped, the recovery points are still there",
        before={"state": "Stopped"},
        after={"state": "Protected", "policy": "daily-30d"},
        details=(Detail(name="state", before="stopped", after="protected"), Detail(name="policy", after="daily-30d")),
        consequences=(
            Consequence(effect=Effect.STRENGTHENS, text="backups begin again"),
            Consequence(effect=Effect.SEEDS, text="the next backup takes a full snapshot"),
        ),
    )
    note = Finding(code="BP-08", message="summer", severity=Severity.INFO, source=Source(FILE, 8, 1))
    found = tuple(item for item in findings() if item.topic == "objectives")
    return Plan(
        created="2026-03-02T03:00:00Z",
        changes=(msgspec.structs.replace(moved, lane=lane), stopped),
        findings=(*found, note),
        unchanged=17,
        machines=40,
    )


def snapshot(disk: int, slot: str, action: Action, reason: Reason, **values: object) -> Change:
    address = f"snapshot.prod/rg-web/vm-web-{disk:02}-os-{slot}-3f9c1a"
    place = f"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-web/disks/{disk}"
    verb = "delete" if action is Action.DELETE else "take"
    spec = {"state": "present", "disk": place, "slot": slot}
    fields: dict[str, object] = {"source": Source("policies/snapshots.yaml", 12, 3), **values}
    return Change(
        address=address,
        kind="snapshot",
        title="snapshot",
        action=action,
        reason=reason,
        before=spec if action is Action.DELETE else None,
        after=None if action is Action.DELETE else spec,
        steps=(step(address, verb, f"{verb} snapshot {slot} of disk {disk}", lane=place),),
        **fields,  # type: ignore[arg-type]
    )


@pytest.fixture
def scheduled() -> Plan:
    """What the clock asks for, at an ordinary hour: a fleet of disks, each other than the next but for its words."""
    changed = Consequence(
        effect=Effect.NONE,
        text="stores only what changed since the snapshot of 2026-03-02T00:00Z",
        figures={"gib_at_most": 128},
    )
    taken = tuple(
        snapshot(
            number,
            "20260302T0600Z",
            Action.CREATE,
            Reason.DUE,
            why="slot 2026-03-02T06:00Z of schedule six-hourly is due",
            summary="for slot 2026-03-02T06:00Z of schedule six-hourly: incremental, Standard_ZRS",
            details=(Detail(name="disk", after=f"vm-web-{number:02}-os"),),
            consequences=(changed,),
        )
        for number in range(1, 49)
    )
    gone = Consequence(effect=Effect.NONE, text="the 24 newest of each disk stay")
    expired = tuple(
        snapshot(
            number,
            "20260224T0600Z",
            Action.DELETE,
            Reason.EXPIRED,
            why="retention of schedule six-hourly is over",
            fields=(FieldChange(path="state", before="present", after="expired"),),
            consequences=(gone,),
        )
        for number in range(1, 49)
    )
    pruned = snapshot(
        50,
        "20260228T0600Z",
        Action.DELETE,
        Reason.EXPIRED,
        why="schedule six-hourly keeps less than when it was taken",
        consequences=(
            Consequence(
                effect=Effect.PRUNES,
                text="goes before the retention that it was taken under is over",
                figures={"recovery_points_pruned": 1},
            ),
        ),
    )
    return Plan(created="2026-03-02T06:04:00Z", changes=(*taken, *expired, pruned), unchanged=1200, machines=48)


@pytest.fixture
def everything() -> Plan:
    refusal = Refusal(
        code="G103",
        title="destroys recovery points",
        message="1 change would delete recovery points",
        count=1,
        addresses=("protected_vm.prod/rg-web/vm-data",),
        advice="if this is meant, add --allow G103=1",
    )
    error = Finding(
        code="no-match",
        message="the selector matches no VM",
        advice="write allowEmpty: true if that is meant",
        source=Source("policies/protections/sql.yaml", 5, 1),
    )
    return Plan(
        created="2026-03-02T03:00:00Z",
        changes=changes(),
        deferred=(vm("vm-late", Action.CREATE, Reason.DEFERRED, why="not in Azure yet"),),
        findings=(error, *findings()),
        refusals=(refusal,),
        allowed=("G104=1",),
        unchanged=17,
        machines=40,
        complete=False,
        unknown=("vault.dev/rg/rsv-dev",),
    )


APPLIED = "5d6e7f80" * 5
BASE = Base(
    ref="origin/main",
    commit="1a2b3c4d" * 5,
    applied=APPLIED,
    applied_at=datetime(2026, 3, 1, 22, 10, tzinfo=UTC),
    head="9f8e7d6c" * 5,
    dirty=True,
)
"""A branch, the commit where it left main, and an older one that was applied."""


@pytest.fixture
def based(scheduled: Plan) -> Plan:
    """A pull request that shortens a retention and adds VMs, while somebody has changed one by hand and an earlier
    merge waits to be applied."""
    policy, *others = changes()
    by_name = {change.address.rpartition("/")[2]: change for change in others}
    several = msgspec.structs.replace(
        by_name["vm-web-77"],
        address="protected_vm.prod/rg-web/vm-web-79",
        why="differs in policy, disks",
        details=(
            Detail(name="policy", before="DefaultPolicy", after="daily-30d", source=PLACE),
            Detail(name="disks", before="all disks", after="data disks 0, 1 only", source=PLACE),
        ),
    )
    everything = (*others, policy, several, *scheduled.changes[:3])
    mine, drift = Provenance(origin=Origin.MINE), Provenance(origin=Origin.DRIFT, drifted=("state",))
    origins = {change.address: mine for change in everything if change.address.partition("vm-web-")[1]}
    origins |= {
        policy.address: Provenance(origin=Origin.MINE, edited=("retention.daily", "retention.weekly", "tags.owner")),
        several.address: Provenance(origin=Origin.BOTH, edited=("disks",), drifted=("policy", "disks")),
        by_name["vm-web-77"].address: Provenance(origin=Origin.DRIFT, drifted=("policy",)),
        by_name["vm-undone"].address: drift,
        by_name["vm-data"].address: drift,
        by_name["vm-old"].address: Provenance(origin=Origin.PENDING),
        by_name["vm-legacy"].address: mine,
    }
    for change in scheduled.changes[:3]:
        origins.pop(change.address, None)
    late = vm("vm-late", Action.CREATE, Reason.DEFERRED, why="not in Azure yet")
    write = Write(
        at=datetime(2026, 3, 2, 1, 2, tzinfo=UTC),
        caller="alice@contoso.com",
        operation="Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write",
        correlation_id="0d5c1f6e-0000-4000-8000-000000000001",
        status="Succeeded",
    )
    return Plan(
        created="2026-03-02T03:00:00Z",
        changes=everything,
        deferred=(late,),
        findings=findings()[14:16],
        unchanged=17,
        machines=40,
        base=BASE,
        origins={**origins, late.address: Provenance(origin=Origin.PENDING)},
        last_writes={
            by_name["vm-web-77"].address: LastWrites(writes=(write,)),
            by_name["vm-undone"].address: LastWrites(missing="nothing is in the log of the last 90 days"),
        },
    )


HOSTILE = "\x1b[2J\x9b31m\u202e`x`|<script>alert(1)</script>@octocat #1 [a](https://evil.test)\n```\n- [x] done"
"""A terminal escape, a C1 control, a direction override, code, table, HTML, mention, issue, link, fence and list."""

TRICKS = (
    "<img src=x onerror=alert(1)>",
    "</details></summary><details open>",
    "--><script>x</script><!--",
    "](javascript:alert(1))",
    "![pixel](https://evil.test/p.png)",
    "[ref]: https://evil.test",
    "```\n~~~\n# head\n---",
    "| a | b |\n| - | - |",
    "@octocat @contoso/dba @<00000000-0000-0000-0000-000000000001>",
    "#123 owner/repo#1 GH-7 AB#9 owner/repo@da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709 da39a3e",
    "[[_TOC_]] [[_TOSP_]]",
    "\n/close\n/approve\n/label ~bug",
    "/close",
    '!1 ~label ~"two words" $1 %1 &1 ^1 *vuln [vulnerability:12] [work_item:3]',
    "www.evil.test a@evil.test mailto:a@evil.test xmpp:a@b",
    ":tada: :100: :+1: \U0001f600\u200d\U0001f4bb",
    "$\\sqrt{x}$ $`x`$",
    "\u202e\u2066\u200b\ufeff\u00ad\u2028",
    "&lt;b&gt; &#64;octocat &commat;octocat",
    "\\<b\\> \\`x\\`",
    "##vso[task.setvariable variable=PATH]/tmp",
    "##[set-output name=a;]b ##VSO[task.complete result=Succeeded;]",
    "::add-mask::web",
    "**bold** __b__ ~~gone~~ *e* _e_",
)
"""What GitHub, GitLab or Azure DevOps would make something of, each written as a name."""


@pytest.fixture
def hostile() -> Plan:
    """Every text of it comes from somebody who would like it to act."""
    return hostile_plan(HOSTILE)


@pytest.fixture(params=TRICKS)
def tricky(request: pytest.FixtureRequest) -> Plan:
    """The same with one trick, told of a branch whose names are no better."""
    plan, name = hostile_plan(request.param), request.param
    both = Provenance(origin=Origin.BOTH, edited=(f"tags.{name}",), drifted=(name,))
    told = LastWrites(writes=(Write(at=datetime(2026, 3, 2, tzinfo=UTC), caller=name, operation=name),), missing=name)
    return msgspec.structs.replace(
        plan,
        created=name,
        base=Base(ref=name, commit=name, applied=name, head=name),
        origins={change.address: both for change in plan.changes},
        last_writes={change.address: told for change in plan.changes},
    )


def hostile_plan(name: str) -> Plan:
    address = f"protected_vm.prod/rg-web/{name}"
    change = Change(
        address=address,
        kind="protected_vm",
        title="protected VM",
        action=Action.UPDATE,
        reason=Reason.DIFFERS,
        why=f"{name} differs",
        fields=(FieldChange(path=f"tags.{name}", before=name, after=[name]),),
        details=(Detail(name=f"tags.{name}", before=name, after=name, source=Source(name, 1, 1)),),
        summary=name,
        consequences=(Consequence(effect=Effect.PRUNES, text=name),),
        steps=(step(address, "put", name), step(address, "put2", name)),
        source=Source(name, 1, 1),
        manual=name,
    )
    blocked = msgspec.structs.replace(change, action=Action.BLOCKED, steps=())
    finding = Finding(code="rpo", message=name, advice=name, address=address, severity=Severity.WARNING)
    refusal = Refusal(code="G104", title="t", message=name, count=1, addresses=(address,), advice=name)
    return Plan(created="2026-03-02T03:00:00Z", changes=(change, blocked), findings=(finding,), refusals=(refusal,))
