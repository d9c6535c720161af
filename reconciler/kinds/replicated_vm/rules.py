"""What can be known of `replication:` in a Protection without Azure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document
from reconciler.model.location import normalise_location
from reconciler.model.protection import Protection
from reconciler.model.replication import ROUTE, Nic, Replication, ReplicationOverride, ReplicationRoute
from reconciler.plan.finding import Finding, Severity

MOST_DATA_DISKS = 64


def check_replication(document: Document[Protection], aspect: Replication, declared: Declared) -> Iterator[Finding]:
    """One way to the target, LUNs named once, each VM and each interface once, addresses that are addresses."""
    yield from _check_target(document, aspect, declared)
    yield from _check_luns(document, ("excludeDisks",), aspect.exclude_disks)
    counts = Counter(fold(one.vm.strip("/")) for one in aspect.overrides)
    for index, override in enumerate(aspect.overrides):
        if counts[fold(override.vm.strip("/"))] > 1:
            yield _finding(
                document,
                ("overrides", index, "vm"),
                f"VM {override.vm} has two overrides",
                "write one for each VM",
            )
        yield from _check_override(document, index, override)


def _check_target(document: Document[Protection], aspect: Replication, declared: Declared) -> Iterator[Finding]:
    if (aspect.target_region is None) == (aspect.route is None):
        given = "both targetRegion and route are" if aspect.route else "neither targetRegion nor route is"
        yield _finding(
            document, (), f"{given} given", "write one: targetRegion: northeurope, or the name of a route", "ASR-10"
        )
    elif not declared.of(ROUTE):
        yield _finding(
            document,
            (),
            "no ReplicationRoute is declared, and VMs are replicated along one",
            "declare a ReplicationRoute: from, to, vault, policy, targetResourceGroup, cacheStorageAccount",
            "ASR-10",
        )
    elif aspect.target_region is not None:
        yield from _check_region(document, aspect.target_region, declared)


def _check_region(document: Document[Protection], target: str, declared: Declared) -> Iterator[Finding]:
    """Whichever region the VMs are in: some route must lead there."""
    routes = declared.of(ROUTE, ReplicationRoute).values()
    targets = {normalise_location(route.value.to) for route in routes}
    if normalise_location(target) not in targets:
        yield _finding(
            document,
            ("targetRegion",),
            f"no ReplicationRoute leads to {target}",
            f"write one of {', '.join(sorted(targets))}, or declare a route with to: {normalise_location(target)}",
            "ASR-10",
        )


def _check_override(document: Document[Protection], index: int, override: ReplicationOverride) -> Iterator[Finding]:
    yield from _check_luns(document, ("overrides", index, "excludeDisks"), override.exclude_disks)
    counts = Counter(fold(nic.name) for nic in override.nics)
    for number, nic in enumerate(override.nics):
        path = ("overrides", index, "nics", number)
        if counts[fold(nic.name)] > 1:
            yield _finding(document, (*path, "name"), f"interface {nic.name} is named twice", "write it once")
        yield from _check_addresses(document, path, nic)


def _check_addresses(document: Document[Protection], path: tuple[str | int, ...], nic: Nic) -> Iterator[Finding]:
    for key, text in (("address", nic.address), ("testAddress", nic.test_address)):
        if text is not None and not _is_address(text):
            yield _finding(
                document,
                (*path, key),
                f"`{text}` is not an IP address",
                "write one of the target subnet, as 10.1.0.4, or leave it out for a dynamic one",
                "ASR-14",
            )


def _check_luns(
    document: Document[Protection], path: tuple[str | int, ...], luns: tuple[int, ...] | None
) -> Iterator[Finding]:
    if luns is not None and len(set(luns)) < len(luns):
        yield _finding(document, path, "a LUN is given twice", "name each LUN once")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _finding(
    document: Document[Protection], path: tuple[str | int, ...], message: str, advice: str, code: str = "replication"
) -> Finding:
    where = ".".join(str(part) for part in ("replication", *path))
    return Finding(
        code=code,
        severity=Severity.ERROR,
        message=f"Protection {document.name} {where}: {message}",
        advice=advice,
        source=document.at("replication", *path),
        rule_source="a2a" if code != "replication" else "",
    )
