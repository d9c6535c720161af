"""What a route names: networks, storage, disks, accounts (ASR-14, -20, -30, -33, -34, -41, -52, -54)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from reconciler.kinds.container_mapping.place_rules import RouteDocument, is_zone_to_zone
from reconciler.kinds.document_rule import Breach, DocumentRule
from reconciler.kinds.replication.route import located_routes, network_mapping_address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Path
from reconciler.model.replication import ReplicationRoute, TargetDisk
from reconciler.plan.finding import Severity

_STANDARD = frozenset({"Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS"})
_NETWORK = ("Microsoft.Network", "virtualNetworks")


def _is(text: str, provider: str, type_: str) -> bool:
    """Whether an id is that of a top-level resource of this type, in a resource group."""
    arm_id = ArmId(text)
    whole = f"/subscriptions/{arm_id.subscription}/resourceGroups/{arm_id.resource_group}/providers/{provider}/{type_}"
    return bool(arm_id.resource_group) and arm_id == ArmId(whole).child(arm_id.name)


def _typed(path: Path, text: str, provider: str, type_: str, what: str) -> Iterator[Breach]:
    if not _is(text, provider, type_):
        advice = f"write /subscriptions/…/resourceGroups/…/providers/{provider}/{type_}/…"
        yield Breach(path, f"{text!r} is not the id of {what}", advice)


def _networks(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    seen: dict[str, int] = {}
    for index, pair in enumerate(document.value.networks):
        for key, text in (("from", pair.from_), ("to", pair.to)):
            yield from _typed(("networks", index, key), text, *_NETWORK, "a virtual network")
        network = ArmId(pair.from_)
        first = seen.setdefault(fold(f"{network.resource_group}-{network.name}"), index)
        if first == index:
            continue
        same = ArmId(document.value.networks[first].from_) == network
        yield Breach(
            ("networks", index, "from"),
            f"network {network.name} is mapped twice: a network leads into one other"
            if same
            else f"the mappings of networks {document.value.networks[first].from_} and {pair.from_} have one name",
            "keep one of the two" if same else "use a route through another vault for one of the two",
            (document.at("networks", first, "from"),),
        )
    if document.value.test_network:
        yield from _typed(("testNetwork",), document.value.test_network, *_NETWORK, "a virtual network")


def _shared_networks(document: RouteDocument, declared: Declared) -> Iterator[Breach]:
    """Network mappings belong to the vault: routes of one vault and one pair of regions share them."""
    routes = located_routes(declared)
    own = next((route for route in routes if route.name == document.name), None)
    if own is None or own.zone_to_zone:
        return
    for index, pair in enumerate(own.value.networks):
        address = network_mapping_address(own.scope, own.leg, ArmId(pair.from_))
        for other in routes:
            if other.name >= own.name or other.leg != own.leg:
                continue
            for place, theirs in enumerate(other.value.networks):
                same = network_mapping_address(other.scope, other.leg, ArmId(theirs.from_)) == address
                if same and (ArmId(theirs.from_), ArmId(theirs.to)) != (ArmId(pair.from_), ArmId(pair.to)):
                    yield Breach(
                        ("networks", index),
                        f"route {other.name} maps network {ArmId(theirs.from_).name} to {ArmId(theirs.to).name} in the "
                        "same vault",
                        "map it to the same network in both routes, or use another vault",
                        (other.document.at("networks", place),),
                    )


def _way_back(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    seen: dict[ArmId, int] = {}
    for index, pair in enumerate(document.value.networks):
        first = seen.setdefault(ArmId(pair.to), index)
        if first != index and not is_zone_to_zone(document.value):
            back = ArmId(document.value.networks[first].from_).name
            yield Breach(
                ("networks", index, "to"),
                f"several networks lead into {ArmId(pair.to).name}: VMs that fail back all come to {back}",
                "give each network one of its own, or put the one to come back to first",
                (document.at("networks", first, "to"),),
            )


def _test_network(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    route = document.value
    if route.test_network is None:
        return
    used = {ArmId(pair.to) for pair in route.networks}
    if is_zone_to_zone(route):
        used |= {ArmId(pair.from_) for pair in route.networks}
    if ArmId(route.test_network) in used:
        yield Breach(
            ("testNetwork",),
            f"{ArmId(route.test_network).name} is a production network: a drill would bring up VMs twice in it",
            "name an isolated network for drills",
        )


def _account(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    named = {
        "cacheStorageAccount": document.value.cache_storage_account,
        "failbackCacheStorageAccount": document.value.failback_cache_storage_account,
    }
    for field, text in named.items():
        if text is not None:
            yield from _typed((field,), text, "Microsoft.Storage", "storageAccounts", "a storage account")


def _disk_types(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    known = get_args(TargetDisk)
    for source in document.value.disk_types or {}:
        if source not in known:
            message = f"{source!r} is no type of a managed disk"
            yield Breach(("diskTypes", source), message, f"write one of {', '.join(known)}")


def _churn(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    for source, target in (document.value.disk_types or {}).items():
        if document.value.churn == "High" and target in _STANDARD:
            message = f"{source} to {target}: a standard disk takes 2 MB/s, whatever the churn of its VM"
            yield Breach(("diskTypes", source), message, "write Premium_LRS, or churn: Normal")


def _encryption(document: RouteDocument, declared: Declared) -> Iterator[Breach]:
    route, path = document.value, ("diskEncryptionSet",)
    if route.disk_encryption_set is None:
        return
    yield from _typed(
        path, route.disk_encryption_set, "Microsoft.Compute", "diskEncryptionSets", "a disk encryption set"
    )
    alias = declared.alias(ArmId(route.disk_encryption_set).subscription)
    if route.target_subscription in declared.subscriptions and alias != route.target_subscription:
        yield Breach(
            path,
            f"the disk encryption set is not in subscription {route.target_subscription}, where the disks will be",
            "name one of the target subscription and region",
            (document.at("targetSubscription"),),
        )


def _availability_set(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    text = document.value.availability.availability_set
    if text:
        path = ("availability", "availabilitySet")
        yield from _typed(path, text, "Microsoft.Compute", "availabilitySets", "an availability set")


def _update_account(document: RouteDocument, declared: Declared) -> Iterator[Breach]:
    text, path = document.value.agent_update_account, ("agentUpdateAccount",)
    if text is None:
        return
    yield from _typed(path, text, "Microsoft.Automation", "automationAccounts", "an automation account")
    routes = located_routes(declared)
    own = next((route for route in routes if route.name == document.name), None)
    if own is None:
        return
    if ArmId(text).subscription != own.vault.arm_id.subscription:
        yield Breach(
            path,
            f"the account is in another subscription than vault {own.vault.name}",
            "name an automation account of the vault's subscription",
            (document.at("vault"),),
        )
    for other in routes:
        theirs = other.value.agent_update_account
        same = other.vault.arm_id == own.vault.arm_id and other.name < own.name
        if same and theirs and ArmId(theirs) != ArmId(text):
            yield Breach(
                path,
                f"route {other.name} names another account, and vault {own.vault.name} has one for all",
                "write the same account in all routes of the vault",
                (other.document.at("agentUpdateAccount"),),
            )


RESOURCE_RULES: tuple[DocumentRule[ReplicationRoute], ...] = (
    DocumentRule("ASR-14", Severity.ERROR, "tf-rvm:653, net", _networks),
    DocumentRule("ASR-14", Severity.ERROR, "tf-rvm:653, net", _shared_networks),
    DocumentRule("ASR-15", Severity.ERROR, "a2a, tf-rvm:135", _availability_set),
    DocumentRule("ASR-20", Severity.ERROR, "a2a, churn", _account),
    DocumentRule("ASR-30", Severity.ERROR, "sdk-sr", _disk_types),
    DocumentRule("ASR-33", Severity.WARNING, "a2a, churn", _churn),
    DocumentRule("ASR-34", Severity.ERROR, "cmkd", _encryption),
    DocumentRule("ASR-41", Severity.ERROR, "auto, sdk-sr, a2aq", _update_account),
    DocumentRule("ASR-52", Severity.ERROR, "drill, mon, z2z", _test_network),
    DocumentRule("ASR-54", Severity.WARNING, "ff, rep", _way_back),
)
