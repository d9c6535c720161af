"""The regions of Azure that we know by name. New ones open every year: an unknown name is a doubt, not an error."""

from __future__ import annotations

from difflib import get_close_matches

_PUBLIC = """
asiapacific australiacentral australiacentral2 australiaeast australiasoutheast austriaeast belgiumcentral brazilsouth
brazilsoutheast canadacentral canadaeast centralindia centralus centraluseuap chilecentral denmarkeast eastasia eastus
eastus2 eastus2euap francecentral francesouth germanynorth germanywestcentral indonesiacentral israelcentral
israelnorthwest italynorth japaneast japanwest jioindiacentral jioindiawest koreacentral koreasouth malaysiasouth
malaysiawest mexicocentral newzealandnorth northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral
southafricanorth southafricawest southcentralus southeastasia southindia spaincentral swedencentral swedensouth
switzerlandnorth switzerlandwest taiwannorth taiwannorthwest uaecentral uaenorth uksouth ukwest westcentralus
westeurope westindia westus westus2 westus3
"""
_GOVERNMENT = "usdodcentral usdodeast usgovarizona usgovtexas usgovvirginia usgoviowa"
_CHINA = "chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3"
REGIONS = frozenset(f"{_PUBLIC} {_GOVERNMENT} {_CHINA}".split())
_ZONED = """
australiaeast austriaeast belgiumcentral brazilsouth canadacentral centralindia centralus chilecentral chinanorth3
denmarkeast eastasia eastus eastus2 francecentral germanywestcentral indonesiacentral israelcentral italynorth japaneast
japanwest koreacentral malaysiawest mexicocentral newzealandnorth northeurope norwayeast polandcentral qatarcentral
southafricanorth southcentralus southeastasia spaincentral swedencentral switzerlandnorth uaenorth uksouth usgovvirginia
westeurope westus2 westus3
"""
ZONED = frozenset(_ZONED.split())
"""Regions with availability zones, where zone-redundant storage is to be had (learn.microsoft.com,
reliability/availability-zones-region-support). One that is missing here gets locally redundant storage."""


def closest_region(name: str) -> str:
    """The region that `name` was probably meant to be, or ""."""
    return next(iter(get_close_matches(name, sorted(REGIONS), n=1, cutoff=0.75)), "")
