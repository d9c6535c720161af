"""A plan with a base, and why its VMs are protected as they are: something of everything that the page can show."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment
from reconciler.model.explanation import Candidate, Condition, Decision, Explanation, Setting
from reconciler.model.machine import Machine, OsType
from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Consequence, Detail, Effect, FieldChange, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Base, LastWrites, Origin, Provenance, Write

PLACE = Source("policies/web.yaml", 12, 9)
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
REGIONS = ("westeurope", "northeurope")


def machine(number: int, **tags: str) -> Machine:
    name, group = f"vm-{number:05}", f"rg-{number % 7}"
    alias = "dev" if number % 2 else "prod"
    home = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute"
    return Machine(
        ArmId(f"{home}/virtualMachines/{name}"),
        alias,
        group,
        name,
        REGIONS[number % 2],
        OsType.LINUX,
        {"env": alias, **tags},
        disks=(Attachment(None, f"{home}/disks/{name}-os"),),
    )


def repolicied(of: Machine, effect: Effect = Effect.STRENGTHENS, **values: object) -> Change:
    """Another policy for a VM."""
    address = f"protected_vm.{of.scope}/{of.name}"
    fields: dict[str, object] = {"source": PLACE, **values}
    return Change(
        address=address,
        kind="protected_vm",
        title="protected VM",
        protects=True,
        action=Action.UPDATE,
        reason=Reason.DIFFERS,
        before={"policy": "daily-7d"},
        after={"policy": "daily-30d"},
        fields=(FieldChange(path="policy", before="daily-7d", after="daily-30d"),),
        details=(Detail(name="policy", before="daily-7d", after="daily-30d", source=PLACE),),
        consequences=(Consequence(effect=effect, text="promises more: daily retention 7 d → 30 d"),),
        steps=(Step(id=f"{address}#put", kind="protected_vm", address=address, verb="put", title="set the policy"),),
        arm_id=f"{SUBSCRIPTION}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-weu/"
        f"backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;{of.resource_group};{of.name}",
        **fields,  # type: ignore[arg-type]
    )


def explained(of: Machine) -> Explanation:
    met = Condition("tags.env", "prod or dev", of.tags["env"], True, PLACE)
    failed = Condition("names", "sql-*", of.name, False, PLACE)
    address = f"protected_vm.{of.scope}/{of.name}"
    policy = "backup_policy.prod/rg-backup/rsv-weu/daily-30d"
    return Explanation(
        of,
        (
            Candidate("Protection", "production-web", PLACE, True, (met,), ("backup",)),
            Candidate("Protection", "databases", PLACE, False, (failed,), ("backup",), "priority 10"),
        ),
        (
            Decision("backup", "protected", "`production-web` is the only one that matches", "production-web", PLACE),
            Decision("snapshots", "none", "no Protection that matches gives snapshots"),
        ),
        (
            Setting(address, "policy", "daily-30d", PLACE),
            Setting(address, "disks", "all", None),
            Setting(policy, "retention.daily", "30 days", Source("policies/backup-policies.yaml", 9, 11)),
        ),
    )


MACHINES = tuple(machine(number, tier="web" if number < 6 else "db") for number in range(12))


def deleted(of: Machine) -> Change:
    """Somebody gives up a VM and its recovery points."""
    loses = Consequence(effect=Effect.DELETES, text="deletes 30 recovery points after 14 days")
    address = f"protected_vm.{of.scope}/{of.name}"
    return Change(
        address=address,
        kind="protected_vm",
        title="protected VM",
        protects=True,
        action=Action.DELETE,
        reason=Reason.NOT_DECLARED,
        why="its vault says deleteData",
        before={"policy": "daily-30d"},
        consequences=(loses,),
        steps=(Step(id=f"{address}#delete", kind="protected_vm", address=address, verb="delete", title="delete"),),
    )


def plan() -> Plan:
    """Yours, drift, both and pending; a refusal and findings."""
    changes = (*(repolicied(one) for one in MACHINES[:8]), repolicied(MACHINES[8], why=""), deleted(MACHINES[9]))
    origins = [Origin.MINE] * 4 + [Origin.DRIFT] * 3 + [Origin.BOTH, Origin.PENDING, Origin.MINE]
    drifted = (Origin.DRIFT, Origin.BOTH)
    told = {
        change.address: Provenance(origin=origin, drifted=("policy",) if origin in drifted else ())
        for change, origin in zip(changes, origins, strict=True)
    }
    write = Write(
        at=datetime(2026, 3, 1, 22, 14, 5, tzinfo=UTC),
        caller="alex@contoso.example",
        operation="Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write",
        correlation_id="7d1c1f0e-3f64-4d4e-9d0c-0a4d4d1ad0b2",
        status="Succeeded",
    )
    sick = f"protected_vm.{MACHINES[10].scope}/{MACHINES[10].name}"
    return Plan(
        created="2026-03-02T03:00:00Z",
        changes=changes,
        findings=(
            Finding(
                code="rpo-missed",
                message="the newest recovery point is 3 d old; promised is 24h",
                topic="objectives",
                severity=Severity.WARNING,
                advice="see why its backups do not run",
                address=sick,
            ),
        ),
        refusals=(
            Refusal(
                code="G103",
                title="destroys recovery points",
                message="1 change would delete recovery points",
                count=1,
                addresses=(changes[-1].address,),
                advice="if this is meant, add --allow G103=1",
            ),
        ),
        unchanged=17,
        machines=len(MACHINES),
        base=Base(
            ref="origin/main",
            commit="4f1c9e27ab" * 4,
            applied="b7aa01d2c3" * 4,
            applied_at=datetime(2026, 3, 1, 9, 12, tzinfo=UTC),
            head="90c1d3e4f5" * 4,
        ),
        origins=told,
        last_writes={
            change.address: LastWrites(writes=(write,)) for change in changes if told[change.address].origin in drifted
        },
    )


def explanations() -> tuple[Explanation, ...]:
    return tuple(explained(one) for one in MACHINES)
