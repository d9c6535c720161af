"""Live backup policies → BackupPolicy documents: the inverse of `spec_of`, proved on each policy.

A document has the name that its policy has in Azure, and holds in every declared vault that has a policy of that name.
So equal ones become one document; of different ones of one name only one can be written, and what follows the others
stays unmanaged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from tzlocal.windows_tz import win_tz

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Leave, Written, left_out, not_adopted
from reconciler.kinds.backup_policy import document as written
from reconciler.kinds.backup_policy.rules import check_policy
from reconciler.kinds.backup_policy.spec import (
    AGE_UNITS,
    BUILT_IN,
    BackupPolicySpec,
    InstantRestore,
    Tiering,
    default_instant_days,
    spec_of,
)
from reconciler.model.address import Address
from reconciler.model.counting import count
from reconciler.model.document import Document
from reconciler.model.observed import ItemFacts
from reconciler.model.resource import Ref, Resource
from reconciler.model.retention import Monthly, Retention, Schedule, Weekly, Yearly
from reconciler.model.source import Source
from reconciler.model.time_zones import windows_zone
from reconciler.plan.finding import Severity

KIND = "backup_policy"
_NOWHERE = Ref("")
_UTC = "UTC"


@dataclass(frozen=True)
class _Followers:
    """How many VMs follow each policy, by folded address scope and name; and each vault's, by folded scope."""

    by_policy: Mapping[tuple[str, str], int]
    by_vault: Mapping[str, int]

    @classmethod
    def of(cls, estate: AdoptedEstate) -> _Followers:
        policies: Counter[tuple[str, str]] = Counter()
        vaults: Counter[str] = Counter()
        for resource in estate.resources("protected_vm"):
            for name, ref in resource.spec.refs():
                if name == "policy" and isinstance(resource.observed, ItemFacts):
                    policies[ref.address.scope.casefold(), ref.address.name.casefold()] += 1
                    vaults[ref.address.scope.casefold()] += 1
        return cls(policies, vaults)

    def of_policy(self, resource: Resource) -> int:
        return self.by_policy.get((resource.address.scope.casefold(), resource.address.name.casefold()), 0)


def adopt_policies(estate: AdoptedEstate) -> Iterator[Adopted]:
    """One document for each name that VMs follow, and the time zone that most of them share for the Scope."""
    followers = _Followers.of(estate)
    named: dict[str, list[Resource]] = defaultdict(list)
    for resource in estate.resources(KIND):
        if estate.has("Vault", _vault(resource)):
            named[resource.address.name.casefold()].append(resource)
    chosen: list[tuple[str, written.BackupPolicy, list[Resource]]] = []
    for _, resources in sorted(named.items()):
        answer = _choose(resources, followers, estate)
        if isinstance(answer, tuple):
            chosen.append(answer)
        else:
            yield from answer
    zone = _common_zone(policy for _, policy, _ in chosen)
    if zone != _UTC:
        yield Written("Scope", "", {"defaults": {"timeZone": zone}})
    for name, policy, resources in chosen:
        yield Written("BackupPolicy", name, _value(policy, zone), _origin(resources, followers))


def _choose(
    resources: Sequence[Resource], followers: _Followers, estate: AdoptedEstate
) -> tuple[str, written.BackupPolicy, list[Resource]] | list[Adopted]:
    """The document of a name, or what is left out instead."""
    following = sum(followers.of_policy(one) for one in resources)
    first = resources[0]
    where = ", ".join(sorted({_vault(one) for one in resources}))
    if not following:
        if first.address.name.casefold() in BUILT_IN:
            return []
        return [left_out(one.address, "no VM follows it; it is not written") for one in resources]
    variants: dict[bytes, list[Resource]] = defaultdict(list)
    for one in resources:
        spec = msgspec.structs.replace(one.spec, vault=_NOWHERE)
        variants[msgspec.json.encode(spec, order="deterministic")].append(one)
    if len(variants) > 1:
        return _disputed(list(variants.values()), followers, following, where)
    assert isinstance(first.spec, BackupPolicySpec)
    policy = written_policy(first.spec)
    problem = _problem(first.address.name, policy, first.spec, estate)
    if problem:
        message = f"policy {first.address.name} (vault {where}, {count(following, 'VM')}): {problem}"
        return [not_adopted(first.address, f"{message}; it and its VMs stay unmanaged")]
    return first.address.name, policy, list(resources)


def _disputed(variants: list[list[Resource]], followers: _Followers, following: int, where: str) -> list[Adopted]:
    """Several contents under one name: either nobody is written who follows it, or the vaults of the others are left
    out. Whatever leaves more VMs in the policies."""

    def vms_elsewhere(kept: list[Resource]) -> int:
        others = {one.address.scope.casefold() for variant in variants if variant is not kept for one in variant}
        return sum(followers.by_vault.get(scope, 0) for scope in others)

    best = min(variants, key=lambda kept: (vms_elsewhere(kept), kept[0].address.key))
    name = best[0].address.name
    advice = (
        "make them equal, or give one another name in its vault and move its VMs there (az backup policy create, "
        "az backup protection update-for-vm); then adopt again"
    )
    if vms_elsewhere(best) >= following:
        message = (
            f"policy {name} is not the same in the vaults {where}, and one name has one document: it and the "
            f"{count(following, 'VM')} that follow it stay unmanaged"
        )
        return [not_adopted(one.address, message, advice) for one in best[:1]]
    left: list[Adopted] = []
    for one in (one for variant in variants if variant is not best for one in variant):
        scope, _, vault = one.address.scope.rpartition("/")
        address = Address("vault", scope, vault)
        number = followers.by_vault.get(one.address.scope.casefold(), 0)
        message = (
            f"its policy {name} is another than that of the other vaults ({where}), and one name has one document: "
            f"this vault and its {count(number, 'VM')} stay unmanaged"
        )
        left.append(Leave(address, not_adopted(address, message, advice)))
    return left


def written_policy(spec: BackupPolicySpec) -> written.BackupPolicy:
    """The document whose spec this is, its time zone always said; IANA where the Unicode table knows one."""
    zone = _UTC if spec.schedule.time_zone == _UTC else win_tz.get(spec.schedule.time_zone, "")
    group = spec.instant_restore
    return written.BackupPolicy(
        tier=spec.tier,
        schedule=_schedule(spec.schedule, zone if windows_zone(zone) == spec.schedule.time_zone else ""),
        retention=_retention(spec.retention),
        instant_restore=_instant_restore(group, default_instant_days(spec.tier, spec.schedule.frequency)),
        tiering=written.Tiering(mode=spec.tiering.mode, after=_age(spec.tiering)),
        consistency=spec.consistency,
    )


def _schedule(schedule: Schedule, zone: str) -> written.Schedule:
    known = zone or schedule.time_zone
    if schedule.frequency == "Hourly":
        return written.Schedule(
            frequency="Hourly",
            window_start=schedule.time,
            interval_hours=schedule.interval_hours,
            duration_hours=schedule.duration_hours,
            time_zone=known,
        )
    weekdays: Any = schedule.weekdays or None
    return written.Schedule(frequency=schedule.frequency, time=schedule.time, weekdays=weekdays, time_zone=known)


def _retention(retention: Retention) -> written.Retention:
    daily, weekly = retention.daily, retention.weekly
    months: Any = retention.yearly.months if retention.yearly else ()
    return written.Retention(
        daily=written.DailyRetention(days=daily.days) if daily else None,
        weekly=_weekly(weekly) if weekly else None,
        monthly=written.MonthlyRetention(months=retention.monthly.months, **_chosen(retention.monthly))
        if retention.monthly
        else None,
        yearly=written.YearlyRetention(
            years=retention.yearly.years,
            months=months,
            **_chosen(retention.yearly),
        )
        if retention.yearly
        else None,
    )


def _weekly(weekly: Weekly) -> written.WeeklyRetention:
    weekdays: Any = weekly.weekdays or None
    return written.WeeklyRetention(weeks=weekly.weeks, weekdays=weekdays)


def _chosen(tier: Monthly | Yearly) -> dict[str, Any]:
    if tier.days:
        return {"days": tuple(int(day) if day.isdigit() else day for day in tier.days)}
    return {"weeks": tier.weeks or None, "weekdays": tier.weekdays or None}


def _instant_restore(instant: InstantRestore, usual: int) -> written.InstantRestore:
    group = written.SnapshotGroup(prefix=instant.prefix, suffix=instant.suffix) if instant.prefix else None
    return written.InstantRestore(days=instant.days if instant.days != usual else None, resource_group=group)


def _age(tiering: Tiering) -> str | None:
    letters = {unit: letter for letter, (unit, _) in AGE_UNITS.items()}
    return f"{tiering.duration}{letters.get(tiering.unit, tiering.unit)}" if tiering.mode == "TierAfter" else None


def _problem(name: str, policy: written.BackupPolicy, spec: BackupPolicySpec, estate: AdoptedEstate) -> str:
    """Why the document does not say what Azure has; "" where it does."""
    try:
        told = msgspec.convert(msgspec.to_builtins(policy), written.BackupPolicy)
    except msgspec.ValidationError as error:
        return f"the language cannot say it ({error})"
    if spec_of(told, _UTC, spec.vault) != spec:
        return "the language cannot say it as it is"
    document = Document("BackupPolicy", name, told, Source("adopt"))
    findings = check_policy(document, estate.survey)
    broken = [finding for finding in findings if finding.severity is Severity.ERROR]
    return "; ".join(f"{finding.code} {finding.message}" for finding in broken)


def _common_zone(policies: Iterator[written.BackupPolicy]) -> str:
    """The zone of most policies, the first by name among equals."""
    zones = Counter(policy.schedule.time_zone or _UTC for policy in policies)
    return min(zones, key=lambda zone: (-zones[zone], zone), default=_UTC)


def _value(policy: written.BackupPolicy, default_zone: str) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(policy)
    if value["schedule"].get("timeZone") == default_zone:
        del value["schedule"]["timeZone"]
    usual = {"instantRestore": {}, "tiering": {"mode": "DoNotTier"}}
    return {key: part for key, part in value.items() if part != usual.get(key)}


def _origin(resources: Sequence[Resource], followers: _Followers) -> str:
    parts = [f"{_vault(one)} ({count(followers.of_policy(one), 'VM')})" for one in resources]
    return f"Found in {'vault' if len(parts) == 1 else 'the vaults'} {', '.join(parts)}."


def _vault(resource: Resource) -> str:
    return resource.address.scope.rpartition("/")[2]
