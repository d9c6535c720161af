"""Where the copies of a geo-redundant vault are, and which recovery points have arrived there (BP-91, BP-106)."""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.protected_item_states import VAULTED
from reconciler.emulator.router import Request

SECONDARY_REGIONS: Mapping[str, str] = {
    "australiacentral": "australiacentral2",
    "australiacentral2": "australiacentral",
    "australiaeast": "australiasoutheast",
    "australiasoutheast": "australiaeast",
    "brazilsouth": "southcentralus",
    "brazilsoutheast": "brazilsouth",
    "canadacentral": "canadaeast",
    "canadaeast": "canadacentral",
    "centralindia": "southindia",
    "centralus": "eastus2",
    "centraluseuap": "eastus2euap",
    "chinaeast": "chinanorth",
    "chinaeast2": "chinanorth2",
    "chinaeast3": "chinanorth3",
    "chinanorth": "chinaeast",
    "chinanorth2": "chinaeast2",
    "chinanorth3": "chinaeast3",
    "eastasia": "southeastasia",
    "eastus": "westus",
    "eastus2": "centralus",
    "eastus2euap": "centraluseuap",
    "francecentral": "francesouth",
    "francesouth": "francecentral",
    "germanynorth": "germanywestcentral",
    "germanywestcentral": "germanynorth",
    "japaneast": "japanwest",
    "japanwest": "japaneast",
    "koreacentral": "koreasouth",
    "koreasouth": "koreacentral",
    "northcentralus": "southcentralus",
    "northeurope": "westeurope",
    "norwayeast": "norwaywest",
    "norwaywest": "norwayeast",
    "southafricanorth": "southafricawest",
    "southafricawest": "southafricanorth",
    "southcentralus": "northcentralus",
    "southeastasia": "eastasia",
    "southindia": "centralindia",
    "swedencentral": "swedensouth",
    "swedensouth": "swedencentral",
    "switzerlandnorth": "switzerlandwest",
    "switzerlandwest": "switzerlandnorth",
    "uaecentral": "uaenorth",
    "uaenorth": "uaecentral",
    "uksouth": "ukwest",
    "ukwest": "uksouth",
    "usgovarizona": "usgovtexas",
    "usgovtexas": "usgovarizona",
    "usgovvirginia": "usgovtexas",
    "westcentralus": "westus2",
    "westeurope": "northeurope",
    "westindia": "southindia",
    "westus": "eastus",
    "westus2": "westcentralus",
    "westus3": "eastus",
}
"""Azure's region pairs. A pair is not always mutual: Brazil South has its copies in South Central US."""

PASSIVE_VERSIONS = ("2018-12-20", "2021-11-15", "2023-01-15")
"""The api-versions of the passive stamp, the service in the secondary region."""

ARRIVES_AFTER = 36 * 3600
"""Seconds until a point is in the secondary region: the documented objective (BP-91)."""


def has_cross_region_restore(vault: Mapping[str, Any]) -> bool:
    return bool(vault["properties"]["redundancySettings"]["crossRegionRestore"] == "Enabled")


def asks_secondary(vault: Mapping[str, Any], request: Request) -> bool:
    """The passive stamp serves the same paths; only the api-version tells who is asked."""
    return request.api_version in PASSIVE_VERSIONS and has_cross_region_restore(vault)


def arrived_points(points: list[int], now: int) -> list[int]:
    """Of the encoded points those that the secondary region has: in the vault tier, and old enough."""
    return [point for point in points if point & VAULTED and (point >> 4) + ARRIVES_AFTER <= now]
