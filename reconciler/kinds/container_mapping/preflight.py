"""What is known of a route's cache accounts and target groups before anything is begun (ASR-12, ASR-20, ASR-21).

Azure finds these minutes into enabling the replication of each VM, or when a VM is failed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.phrases import some_names
from reconciler.kinds.replication.route import LocatedRoute
from reconciler.kinds.resource_group import NAME as GROUP
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.live import Live
from reconciler.model.location import normalise_location
from reconciler.model.replication import Replication
from reconciler.model.replication_site import CacheAccount
from reconciler.plan.finding import Finding, Severity

NORMAL_TYPES, HIGH_CHURN_TYPE = ("StorageV2", "Storage"), "BlockBlobStorage"


@dataclass(frozen=True, slots=True)
class _Cache:
    """A storage account that a route names under `field`, for VMs that run in `region`."""

    route: LocatedRoute
    field: str
    arm_id: ArmId
    region: str

    def finding(self, message: str, advice: str, code: str = "ASR-20", severity: Severity = Severity.ERROR) -> Finding:
        return Finding(
            code=code,
            severity=severity,
            message=f"ReplicationRoute {self.route.name} {self.field}: {message}",
            advice=advice,
            source=self.route.document.at(self.field),
            rule_source="a2a, churn" if code == "ASR-20" else "a2a",
        )


def check_account(route: LocatedRoute, live: Live) -> Iterator[Finding]:
    """Each cache account is there, in the region of the VMs, and of the type that the churn needs: that of the way
    back, too, since after a failover there is no time for it."""
    there = ArmId(route.value.cache_storage_account)
    yield from _check_cache(_Cache(route, "cacheStorageAccount", there, route.leg.start.region), live)
    back = route.value.failback_cache_storage_account
    if back is not None:
        yield from _check_cache(_Cache(route, "failbackCacheStorageAccount", ArmId(back), route.leg.end.region), live)


def _check_cache(cache: _Cache, live: Live) -> Iterator[Finding]:
    arm_id = cache.arm_id
    if arm_id not in live.site.accounts:
        return  # could not be read: a gap of its own says so
    account = live.site.accounts[arm_id]
    if account is None:
        advice = f"create it in {cache.region}, or name another: the reconciler never makes one"
        yield cache.finding(f"storage account {arm_id} does not exist", advice)
        return
    if account.location != cache.region:
        message = f"storage account {arm_id.name} is in {account.location}, the VMs are in {cache.region}"
        yield cache.finding(message, "name a storage account in the region of the VMs")
    yield from _check_type(cache, account)
    if account.blobs_kept:
        advice = (
            "switch it off: az storage account blob-service-properties update --enable-delete-retention false "
            f"--account-name {arm_id.name} --resource-group {arm_id.resource_group}"
        )
        yield cache.finding(f"storage account {arm_id.name} has soft delete for blobs", advice)
    if not account.shared_key:
        advice = f"allow it: az storage account update --ids {arm_id} --allow-shared-key-access true"
        yield cache.finding(f"storage account {arm_id.name} refuses access with its keys", advice)
    if not account.open_to_azure:
        yield cache.finding(
            f"the firewall of storage account {arm_id.name} lets trusted Azure services not in",
            f"az storage account update --ids {arm_id} --bypass AzureServices",
            "ASR-21",
            Severity.WARNING,
        )


def _check_type(cache: _Cache, account: CacheAccount) -> Iterator[Finding]:
    premium, name = account.sku.lower().startswith("premium"), account.arm_id.name
    there = f"storage account {name} is {account.type} ({account.sku})"
    if cache.route.value.churn == "High":
        if account.type != HIGH_CHURN_TYPE or not premium:
            yield cache.finding(
                f"{there}; churn: High needs a premium {HIGH_CHURN_TYPE}", "name such an account, or churn: Normal"
            )
    elif account.type not in NORMAL_TYPES or premium:
        yield cache.finding(f"{there}; it must be a standard StorageV2", "name such an account, or write churn: High")


def check_target_group(route: LocatedRoute, expansion: Expansion) -> Iterator[Finding]:
    """The resource groups that the VMs fail over into are there, in another region."""
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in expansion.assignments:
        if _takes(item, route):
            machine = item.machine
            name = route.value.target_resource_group.replace("{resourceGroup}", machine.resource_group)
            wanted[route.value.target_subscription or machine.subscription, name].append(machine.name)
    for (alias, name), machines in sorted(wanted.items()):
        known = f"{alias}/{name}".casefold()
        path = f"ReplicationRoute {route.name} targetResourceGroup"
        if known not in expansion.live.resource_groups:
            if not expansion.live.hides(Address(GROUP, alias, name)):
                subscription = expansion.declared.subscriptions.get(alias, "")
                message = f"there is no resource group {name} in subscription {alias} for {some_names(machines)}"
                advice = (
                    f"az group create --name {name} --location {route.leg.end.region} --subscription {subscription}"
                )
                yield _group_finding(route, f"{path}: {message}", advice)
        elif expansion.live.site.groups.get(known) == route.leg.start.region and not route.zone_to_zone:
            message = (
                f"resource group {name} is in {route.leg.start.region}, which {some_names(machines)} fail over from"
            )
            yield _group_finding(route, f"{path}: {message}", f"name a resource group in {route.leg.end.region}")


def _group_finding(route: LocatedRoute, message: str, advice: str) -> Finding:
    return Finding(
        code="ASR-12",
        message=message,
        advice=advice,
        source=route.document.at("targetResourceGroup"),
        rule_source="a2aq",
    )


def _takes(item: Assignment, route: LocatedRoute) -> bool:
    """Whether a VM is replicated along this route."""
    aspect: Replication = item.value
    if item.machine.location != route.leg.start.region:
        return False
    if aspect.route is not None:
        return fold(aspect.route) == fold(route.name)
    return normalise_location(aspect.target_region or "") == route.leg.end.region
