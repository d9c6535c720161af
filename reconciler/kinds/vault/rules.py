"""What can be known of a Vault document without asking Azure: each rule a function, with its id and source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from reconciler.kinds.regions import REGIONS, closest_region
from reconciler.model.document import Declared, Document
from reconciler.model.location import normalise_location
from reconciler.model.stamp import TAGS as STAMP_TAGS
from reconciler.model.vault import Vault
from reconciler.plan.finding import Finding, Severity

VaultDocument = Document[Vault]
Check = Callable[[VaultDocument, Declared], Iterator[Finding]]

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{1,49}")
_GROUP = re.compile(r"[-\w.()]{0,89}[-\w()]")
_LOCATION = re.compile(r"[a-z0-9]+")
_TAG_FORBIDDEN = "<>%&\\?/"
_VAULTS_PER_REGION = 500
_DAYS = range(14, 181)


def check_vault(document: VaultDocument, declared: Declared) -> Iterator[Finding]:
    """Every rule that the document breaks."""
    for check in CHECKS:
        yield from check(document, declared)


def _name(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    if not _NAME.fullmatch(document.name):
        yield Finding(
            code="BP-11",
            message=f"a vault cannot be named {document.name!r}",
            advice="write 2 to 50 letters, digits and hyphens, a letter first",
            source=document.at("name"),
            rule_source="tf-vault",
        )


def _subscription(document: VaultDocument, declared: Declared) -> Iterator[Finding]:
    alias = document.value.subscription
    if alias in declared.subscriptions:
        return
    known = sorted(declared.subscriptions)
    close = get_close_matches(alias, known, n=1, cutoff=0.6)
    yield Finding(
        code="unknown-subscription",
        message=f"the Scope has no subscription {alias!r}",
        advice=f"write {close[0]}" if close else f"write one of {', '.join(known)}, or add it to the Scope",
        source=document.at("subscription"),
        also=(declared.scope.at("subscriptions"),),
    )


def _resource_group(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    if not _GROUP.fullmatch(document.value.resource_group):
        yield Finding(
            code="resource-group-name",
            message=f"a resource group cannot be named {document.value.resource_group!r}",
            advice="write at most 90 letters, digits and _ - . ( ), without a dot at the end",
            source=document.at("resourceGroup"),
            rule_source="Azure naming rules, Microsoft.Resources/resourceGroups",
        )


def _location(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    written = document.value.location
    location = normalise_location(written)
    place = document.at("location")
    if not _LOCATION.fullmatch(location):
        close = closest_region(re.sub(r"[^a-z0-9]", "", location))
        advice = f"write {close}" if close else "write a region as westeurope"
        yield Finding(code="location", message=f"{written!r} is not a region", advice=advice, source=place)
    elif location not in REGIONS:
        close = closest_region(location)
        yield Finding(
            code="location",
            message=f"this version knows no region {written!r}",
            severity=Severity.DOUBT,
            advice=f"write {close}" if close else "check the spelling: az account list-locations",
            source=place,
        )
    elif location != written:
        yield Finding(
            code="location",
            message=f"{written!r} is a display name",
            severity=Severity.WARNING,
            advice=f"write {location}",
            source=place,
        )


def _vaults_per_region(document: VaultDocument, declared: Declared) -> Iterator[Finding]:
    place = (document.value.subscription, normalise_location(document.value.location))
    vaults = declared.of("Vault", Vault).values()
    same = [other for other in vaults if (other.value.subscription, normalise_location(other.value.location)) == place]
    if len(same) > _VAULTS_PER_REGION and document.name == same[_VAULTS_PER_REGION].name:
        yield Finding(
            code="BP-51",
            message=f"{len(same)} vaults are declared in {place[1]} in subscription {place[0]}; "
            f"Azure allows {_VAULTS_PER_REGION}",
            advice="use another subscription or region",
            source=document.at("location"),
            rule_source="rsv",
        )


def _soft_delete(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    wanted = document.value.soft_delete
    if wanted is None:
        return
    if wanted.state == "Off":
        yield Finding(
            code="BP-76",
            message="soft delete cannot be switched off: Azure refuses it since November 2025",
            advice="write On",
            source=document.at("softDelete", "state"),
            rule_source="sbd",
        )
    if wanted.days not in _DAYS:
        yield Finding(
            code="BP-75",
            message=f"softDelete.days is {wanted.days}; Azure keeps deleted backups 14 to 180 days",
            advice=f"write {min(max(wanted.days, _DAYS[0]), _DAYS[-1])}",
            source=document.at("softDelete", "days"),
            rule_source="sbd",
        )


def _cross_region(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    vault = document.value
    if vault.cross_region_restore and vault.redundancy not in (None, "GeoRedundant"):
        yield Finding(
            code="BP-91",
            message=f"cross-region restore needs redundancy GeoRedundant, and this vault says {vault.redundancy}",
            advice="write redundancy: GeoRedundant, or leave crossRegionRestore out",
            source=document.at("crossRegionRestore"),
            also=(document.at("redundancy"),),
            rule_source="rsv, tf-vault:214",
        )


def _release(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    vault = document.value
    immutable = vault.immutability in ("Unlocked", "Locked")
    if vault.on_release == "suspend" and not immutable:
        yield Finding(
            code="BP-71",
            message="backups can be suspended only in an immutable vault",
            severity=Severity.WARNING if vault.immutability is None else Severity.ERROR,
            advice="write onRelease: stopRetain, or immutability: Unlocked",
            source=document.at("onRelease"),
            rule_source="tf-pvm",
        )
    if vault.on_release == "deleteData" and immutable:
        yield Finding(
            code="BP-81",
            message=f"an immutable vault ({vault.immutability}) refuses to delete recovery points before they expire",
            advice="write onRelease: stopRetain or suspend",
            source=document.at("onRelease"),
            also=(document.at("immutability"),),
            rule_source="imm",
        )


def _tags(document: VaultDocument, _declared: Declared) -> Iterator[Finding]:
    tags = document.value.tags or {}
    seen: dict[str, str] = {}
    if len(tags) > 50:
        yield _tag_finding(document, f"{len(tags)} tags; Azure allows 50", "leave some out")
    for name, value in tags.items():
        if not 1 <= len(name) <= 512 or set(name) & set(_TAG_FORBIDDEN):
            advice = f"write 1 to 512 characters, none of {_TAG_FORBIDDEN}"
            yield _tag_finding(document, f"a tag cannot be named {name[:40]!r}", advice, name)
        if len(value) > 256:
            message = f"the value of tag {name[:40]!r} has {len(value)} characters; Azure allows 256"
            yield _tag_finding(document, message, "shorten it", name)
        if name.casefold() in STAMP_TAGS:
            yield Finding(
                code="reserved-tag",
                message=f"the tag {name!r} is ours: `apply` writes there what was last applied",
                advice="take another name, or leave it out",
                source=document.at("tags", name),
            )
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            message = f"the tags {other!r} and {name!r} are one: Azure does not tell them apart by casing"
            yield _tag_finding(document, message, "keep one of them", name)


def _tag_finding(document: VaultDocument, message: str, advice: str, *path: str) -> Finding:
    return Finding(
        code="SN-01", message=message, advice=advice, source=document.at("tags", *path), rule_source="tf-tag"
    )


CHECKS: tuple[Check, ...] = (
    _name,
    _subscription,
    _resource_group,
    _location,
    _vaults_per_region,
    _soft_delete,
    _cross_region,
    _release,
    _tags,
)
