"""From where to where, through which vault (ASR-10, -11, -12, -15, -16)."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.container_mapping.region_pairs import NO_VAULT, SOURCE_ONLY, TARGET_ONLY, cloud_of
from reconciler.kinds.document_rule import Breach, DocumentRule
from reconciler.kinds.regions import REGIONS, ZONED, closest_region
from reconciler.kinds.replication.route import Leg, leg_of
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document
from reconciler.model.location import normalise_location
from reconciler.model.protection import Protection
from reconciler.model.replication import ASPECT, ROUTE, Replication, ReplicationRoute
from reconciler.model.vault import Vault
from reconciler.plan.finding import Severity

RouteDocument = Document[ReplicationRoute]
ZONAL_DISKS = frozenset({"StandardSSD_ZRS", "Premium_ZRS", "UltraSSD_LRS"})
"""Disks that cannot be replicated from zone to zone."""


def is_zone_to_zone(route: ReplicationRoute) -> bool:
    leg = leg_of(route)
    return leg.start.region == leg.end.region and bool(leg.end.zone)


def vault_region(route: ReplicationRoute, declared: Declared) -> str:
    """The region of the route's vault; "" where it is not declared."""
    found = next((one for name, one in declared.of("Vault", Vault).items() if fold(name) == fold(route.vault)), None)
    return normalise_location(found.value.location) if found else ""


def _same_region(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    leg = leg_of(document.value)
    if leg.start.region == leg.end.region and not leg.end.zone:
        yield Breach(
            ("to",),
            f"VMs in {leg.start} would stay in {leg.end}",
            "write another region, or name a zone to go to: availability: {zone: '2'}",
            (document.at("from"),),
        )


def _restricted(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    leg = leg_of(document.value)
    start, end = leg.start.region, leg.end.region
    if end in SOURCE_ONLY and start != end:
        yield Breach(("to",), f"VMs can be replicated from {end}, and not to it", "write another region")
    if start in TARGET_ONLY:
        yield Breach(("from",), f"VMs can be replicated to {start}, and not from it", "protect them otherwise")
    if cloud_of(start) != cloud_of(end):
        yield Breach(("to",), f"{start} and {end} belong to different clouds of Azure", "write a region of one cloud")
    if document.value.vault and vault_region(document.value, _declared) in NO_VAULT:
        region = vault_region(document.value, _declared)
        yield Breach(("vault",), f"the vault is in {region}, where Site Recovery has none", "name a vault elsewhere")


def _unknown_region(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    for key, written in (("from", document.value.from_), ("to", document.value.to)):
        if normalise_location(written) not in REGIONS:
            close = closest_region(normalise_location(written))
            advice = f"write {close}" if close else "check the spelling: az account list-locations"
            yield Breach((key,), f"this version knows no region {written!r}", advice)


def _vault_in_source(document: RouteDocument, declared: Declared) -> Iterator[Breach]:
    region = vault_region(document.value, declared)
    if region and region == leg_of(document.value).start.region and not is_zone_to_zone(document.value):
        yield Breach(
            ("vault",),
            f"vault {document.value.vault} is in {region}, with the VMs: it would be lost with them",
            f"name a vault in {leg_of(document.value).end.region}, or in a third region",
            (document.at("from"),),
        )


def _target_group(document: RouteDocument, declared: Declared) -> Iterator[Breach]:
    route = document.value
    rest = route.target_resource_group.replace("{resourceGroup}", "")
    if "{" in rest or "}" in rest:
        yield Breach(
            ("targetResourceGroup",),
            f"{route.target_resource_group!r} holds a pattern that is not known",
            "write a name, or {resourceGroup} for the VM's own group, as in {resourceGroup}-dr",
        )
    alias = route.target_subscription
    if alias is not None and alias not in declared.subscriptions:
        known = ", ".join(sorted(declared.subscriptions))
        yield Breach(
            ("targetSubscription",),
            f"the Scope has no subscription {alias!r}",
            f"write one of {known}, or add it to the Scope",
            (declared.scope.at("subscriptions"),),
        )
    if is_zone_to_zone(route) and route.target_resource_group == "{resourceGroup}" and alias is None:
        message = "from zone to zone a VM cannot fail over into its own resource group"
        yield Breach(("targetResourceGroup",), message, "write another group, as {resourceGroup}-dr")


def _availability(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    wanted = document.value.availability
    if wanted.zone and wanted.availability_set:
        yield Breach(
            ("availability",),
            "a VM runs in a zone or in an availability set, and Azure fixes it when replication is enabled",
            "keep one of zone and availabilitySet",
        )
    region = leg_of(document.value).end.region
    if wanted.zone and region in REGIONS and region not in ZONED:
        message = f"this version knows no availability zones in {region}"
        yield Breach(("availability", "zone"), message, "leave zone out, or write a region with zones")


def _zone_to_zone(document: RouteDocument, _declared: Declared) -> Iterator[Breach]:
    if not is_zone_to_zone(document.value):
        return
    for source, target in (document.value.disk_types or {}).items():
        if target in ZONAL_DISKS or source in ZONAL_DISKS:
            message = f"{source} to {target}: zone-redundant and Ultra disks are not replicated from zone to zone"
            yield Breach(("diskTypes", source), message, "write Premium_LRS, StandardSSD_LRS or Standard_LRS")


def _ambiguous(document: RouteDocument, declared: Declared) -> Iterator[Breach]:
    """Two routes of one pair of regions are fine as long as Protections name them."""
    ends = _regions(leg_of(document.value))
    others = [one for one in declared.of(ROUTE, ReplicationRoute).values() if _regions(leg_of(one.value)) == ends]
    if len(others) < 2 or others[0].name == document.name:
        return
    asking = next(
        (
            one
            for one in declared.of("Protection", Protection).values()
            if isinstance(aspect := one.value.aspects.get(ASPECT), Replication)
            and aspect.route is None
            and normalise_location(aspect.target_region or "") == ends[1]
        ),
        None,
    )
    if asking is not None:
        yield Breach(
            ("to",),
            f"{others[0].name} goes from {ends[0]} to {ends[1]}, too, and Protection {asking.name} asks for the region",
            "remove one, or let the Protections name theirs: replication: {route: …}",
            (others[0].at("to"), asking.at(ASPECT, "targetRegion")),
        )


def _regions(leg: Leg) -> tuple[str, str]:
    return leg.start.region, leg.end.region


PLACE_RULES: tuple[DocumentRule[ReplicationRoute], ...] = (
    DocumentRule("ASR-10", Severity.ERROR, "a2a", _same_region),
    DocumentRule("ASR-10", Severity.ERROR, "a2a", _restricted),
    DocumentRule("ASR-10", Severity.ERROR, "a2a", _ambiguous),
    DocumentRule("ASR-10", Severity.DOUBT, "a2a", _unknown_region),
    DocumentRule("ASR-11", Severity.ERROR, "er, z2z", _vault_in_source),
    DocumentRule("ASR-12", Severity.ERROR, "a2aq, z2z", _target_group),
    DocumentRule("ASR-15", Severity.ERROR, "a2a, tf-rvm:135", _availability),
    DocumentRule("ASR-16", Severity.ERROR, "z2z, a2a", _zone_to_zone),
)
