"""What is known of a route's cache account and target groups before anything is begun (ASR-12, ASR-20, ASR-21).

Azure finds these minutes into enabling the replication of each VM, or when a VM is failed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.phrases import some_names
from reconciler.kinds.replication_route import LocatedRoute
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


def check_account(route: LocatedRoute, live: Live) -> Iterator[Finding]:
    """The cache account is there, in the region of the VMs, and of the type that the churn needs."""
    arm_id = ArmId(route.value.cache_storage_account)
    if arm_id not in live.site.accounts:
        return  # could not be read: a gap of its own says so
    account = live.site.accounts[arm_id]
    if account is None:
        advice = f"create it in {route.leg.start.region}, or name another: the reconciler never makes one"
        yield _finding(route, f"storage account {arm_id} does not exist", advice)
        return
    if account.location != route.leg.start.region:
        message = f"storage account {arm_id.name} is in {account.location}, the VMs are in {route.leg.start.region}"
        yield _finding(route, message, "name a storage account in the region of the VMs")
    yield from _check_type(route, account)
    if account.blobs_kept:
        advice = (
            "switch it off: az storage account blob-service-properties update --enable-delete-retention false "
            f"--account-name {arm_id.name} --resource-group {arm_id.resource_group}"
        )
        yield _finding(route, f"storage account {arm_id.name} has soft delete for blobs", advice)
    if not account.shared_key:
        advice = f"allow it: az storage account update --ids {arm_id} --allow-shared-key-access true"
        yield _finding(route, f"storage account {arm_id.name} refuses access with its keys", advice)
    if not account.open_to_azure:
        yield Finding(
            code="ASR-21",
            severity=Severity.WARNING,
            message=f"ReplicationRoute {route.name} cacheStorageAccount: the firewall of storage account {arm_id.name} "
            "lets trusted Azure services not in",
            advice=f"az storage account update --ids {arm_id} --bypass AzureServices",
            source=route.document.at("cacheStorageAccount"),
            rule_source="a2a",
        )


def _check_type(route: LocatedRoute, account: CacheAccount) -> Iterator[Finding]:
    premium, name = account.sku.lower().startswith("premium"), account.arm_id.name
    there = f"storage account {name} is {account.type} ({account.sku})"
    if route.value.churn == "High":
        if account.type != HIGH_CHURN_TYPE or not premium:
            yield _finding(
                route,
                f"{there}; churn: High needs a premium {HIGH_CHURN_TYPE}",
                "name such an account, or churn: Normal",
            )
    elif account.type not in NORMAL_TYPES or premium:
        yield _finding(route, f"{there}; it must be a standard StorageV2", "name such an account, or write churn: High")


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


def _finding(route: LocatedRoute, message: str, advice: str) -> Finding:
    return Finding(
        code="ASR-20",
        message=f"ReplicationRoute {route.name} cacheStorageAccount: {message}",
        advice=advice,
        source=route.document.at("cacheStorageAccount"),
        rule_source="a2a, churn",
    )
