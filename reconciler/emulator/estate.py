"""Estates: a terse YAML (or JSON) description of a cloud, expanded into full ARM bodies.

```yaml
estate: contoso-sample              # a name
clock: 2026-03-02T08:00:00Z         # virtual time at the start; left out: the real time
subscriptions:
  - {id: 11111111-1111-4111-8111-111111111111, name: Production}
resourceGroups:
  - {subscription: Production, name: rg-web, location: westeurope, tags: {owner: web}}
virtualMachines:
  - name: web-01
    resourceGroup: rg-web           # `subscription` is needed only where two subscriptions have a group of that name
    os: Linux                       # Linux (default) or Windows
    image: ubuntu-2404              # a name of compute_bodies.IMAGES, publisher:offer:sku, or an image's ARM id
    size: Standard_D4s_v5
    zone: "1"
    location: westeurope            # default: the group's
    tags: {env: prod}
    osDisk: {sizeGB: 64, sku: Premium_LRS}
    dataDisks: [256, {sizeGB: 512, sku: PremiumV2_LRS, lun: 3}]
    securityType: TrustedLaunch     # or ConfidentialVM
    power: running                  # running (default), deallocated or stopped
    upperCase: true                 # compute spells the group in capitals in this id, as it does for many older VMs
    createdDaysAgo: 400
disks:
  - {name: leftover, resourceGroup: rg-web, sizeGB: 128, sku: Standard_LRS, tags: {}}
snapshots: [...]                    # what was taken before: providers/snapshot_estate.py
diskSettings: {...}                 # what disks hold and how fast it changes, limits: providers/disk_settings.py
networks:                           # VMs of its region get an interface in its first subnet; without: none exists
  - {name: vnet-weu, resourceGroup: rg-web, addressPrefixes: [10.10.0.0/16], subnets: {default: 10.10.0.0/20}}
backup: {...}                       # what the Recovery Services provider reads: providers/backup_estate.py
storageAccounts:
  - {name: cacheweu, resourceGroup: rg-web, kind: StorageV2, softDelete: false}
automationAccounts:
  - {name: auto, resourceGroup: rg-web, runbooks: [update-dns], failing: []}
siteRecovery: [...]                 # vaults with replicated machines: providers/replication_estate.py
```

Any other top-level key belongs to the provider that names it as its ``SECTION``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from reconciler.emulator import providers
from reconciler.emulator.world import World

SAMPLE = Path(__file__).parent / "estates" / "sample.yaml"


class EstateError(ValueError):
    """An estate that cannot be built; the message names the place in it."""


def read(path: Path) -> dict[str, Any]:
    """An estate from a ``.yaml``, ``.yml`` or ``.json`` file. Raises EstateError."""
    try:
        content = path.read_bytes()
        decoded = msgspec.json.decode(content) if path.suffix == ".json" else _read_yaml(content)
    except (OSError, msgspec.DecodeError, EstateError) as error:
        raise EstateError(f"{path}: {error}") from error
    if not isinstance(decoded, dict):
        raise EstateError(f"{path}: an estate is a mapping; start with 'subscriptions:'")
    return decoded


def _read_yaml(content: bytes) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(content, Loader=loader)  # noqa: S506  (one of the two safe loaders)
    except yaml.YAMLError as error:
        raise EstateError(" ".join(str(error).split())) from error


def check(estate: dict[str, Any]) -> None:
    """Raises EstateError for a top-level key that nothing reads, or a wrong clock."""
    known = {"estate", "clock", *providers.sections()}
    unknown = sorted(set(estate) - known)
    if unknown:
        raise EstateError(f"an estate has no section '{unknown[0]}'; the sections are {', '.join(sorted(known))}")
    origin(estate)


def origin(estate: dict[str, Any]) -> datetime | None:
    """The virtual time at which the estate begins; None where it says nothing."""
    clock = estate.get("clock")
    if clock is None:
        return None
    try:
        moment = clock if isinstance(clock, datetime) else datetime.fromisoformat(str(clock))
    except ValueError as error:
        raise EstateError(f"clock: '{clock}' is not a date and time such as 2026-03-02T08:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def load(world: World, estate: dict[str, Any]) -> None:
    """Fills an empty world. Raises EstateError with the section, and the place in it, that is wrong."""
    check(estate)
    for section, seed in providers.seeds():
        if section not in estate:
            continue
        try:
            seed(world, estate[section])
        except EstateError:
            raise
        except (ValueError, KeyError) as error:
            raise EstateError(f"{section}: {error}") from error
