"""How Site Recovery names things: ids that begin with ``/Subscriptions/``, guids of version 5, regions in words.

Site Recovery spells its own ids with a capital S and everybody else's as it likes (site-recovery.md §2).
"""

from __future__ import annotations

import uuid

from reconciler.emulator.failures import not_found
from reconciler.emulator.providers.backup_names import VAULT, VAULTS, part
from reconciler.emulator.router import Request
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

POLICIES = f"{VAULTS}/replicationPolicies"
FABRICS = f"{VAULTS}/replicationFabrics"
CONTAINERS = f"{FABRICS}/replicationProtectionContainers"
MAPPINGS = f"{CONTAINERS}/replicationProtectionContainerMappings"
NETWORK_MAPPINGS = f"{FABRICS}/replicationNetworks/replicationNetworkMappings"
ITEMS = f"{CONTAINERS}/replicationProtectedItems"
POINTS = f"{ITEMS}/recoveryPoints"
JOBS = f"{VAULTS}/replicationJobs"
PLANS = f"{VAULTS}/replicationRecoveryPlans"

POLICY = VAULT + "/replicationPolicies/{policy}"
FABRIC = VAULT + "/replicationFabrics/{fabric}"
CONTAINER = FABRIC + "/replicationProtectionContainers/{container}"
MAPPING = CONTAINER + "/replicationProtectionContainerMappings/{mapping}"
NETWORK_MAPPING = FABRIC + "/replicationNetworks/{network}/replicationNetworkMappings/{mapping}"
ITEM = CONTAINER + "/replicationProtectedItems/{item}"
JOB = VAULT + "/replicationJobs/{job}"
PLAN = VAULT + "/replicationRecoveryPlans/{plan}"

NETWORKS = "Microsoft.Network/virtualNetworks"
INTERFACES = "Microsoft.Network/networkInterfaces"

REGIONS = {
    "australiacentral": "Australia Central",
    "australiaeast": "Australia East",
    "australiasoutheast": "Australia Southeast",
    "austriaeast": "Austria East",
    "brazilsouth": "Brazil South",
    "brazilsoutheast": "Brazil Southeast",
    "canadacentral": "Canada Central",
    "canadaeast": "Canada East",
    "centralindia": "Central India",
    "centralus": "Central US",
    "eastasia": "East Asia",
    "eastus": "East US",
    "eastus2": "East US 2",
    "francecentral": "France Central",
    "francesouth": "France South",
    "germanynorth": "Germany North",
    "germanywestcentral": "Germany West Central",
    "israelcentral": "Israel Central",
    "italynorth": "Italy North",
    "japaneast": "Japan East",
    "japanwest": "Japan West",
    "koreacentral": "Korea Central",
    "koreasouth": "Korea South",
    "mexicocentral": "Mexico Central",
    "newzealandnorth": "New Zealand North",
    "northcentralus": "North Central US",
    "northeurope": "North Europe",
    "norwayeast": "Norway East",
    "norwaywest": "Norway West",
    "polandcentral": "Poland Central",
    "qatarcentral": "Qatar Central",
    "southafricanorth": "South Africa North",
    "southafricawest": "South Africa West",
    "southcentralus": "South Central US",
    "southeastasia": "Southeast Asia",
    "southindia": "South India",
    "spaincentral": "Spain Central",
    "swedencentral": "Sweden Central",
    "switzerlandnorth": "Switzerland North",
    "switzerlandwest": "Switzerland West",
    "uaecentral": "UAE Central",
    "uaenorth": "UAE North",
    "uksouth": "UK South",
    "ukwest": "UK West",
    "westcentralus": "West Central US",
    "westeurope": "West Europe",
    "westindia": "West India",
    "westus": "West US",
    "westus2": "West US 2",
    "westus3": "West US 3",
}
SOURCE_ONLY, TARGET_ONLY = frozenset({"brazilsouth"}), frozenset({"brazilsoutheast"})  # ASR-10

_SPACE = uuid.UUID("0f5dca0e-5b4c-5f58-9c0f-5d0c0c9d6a11")


def normal_region(location: str) -> str:
    """`East US` and `eastus` are one region."""
    return location.replace(" ", "").lower()


def region_name(location: str) -> str:
    """`eastus` as Site Recovery shows it: `East US`."""
    return REGIONS.get(normal_region(location), location)


def guid_of(*words: str) -> str:
    """The guid that the service derives from these words: the same whenever it is asked (recorded: version 5)."""
    return str(uuid.uuid5(_SPACE, "/".join(words).lower()))


def entity_guid(item_id: str) -> str:
    """The inner id of a protected machine: of health errors, jobs and the members of recovery plans."""
    return guid_of("entity", item_id)


def capital(resource_id: str) -> str:
    """An id as Site Recovery spells its own: `/Subscriptions/...`."""
    head, _, rest = resource_id.lstrip("/").partition("/")
    return f"/{head.capitalize()}/{rest}"


def vault_of(resource_id: str) -> str:
    """The vault's part of an id below it."""
    return "/".join(resource_id.split("/")[:9])


def vault_id(world: World, request: Request) -> str:
    """The id of the request's vault as Site Recovery spells it. Raises 404 ResourceNotFound from the gateway."""
    params = request.params
    path = (
        f"/subscriptions/{params['subscription']}/resourceGroups/{params['group']}/providers/{VAULTS}/{params['vault']}"
    )
    body = world.store.get(path)
    if body is None:
        raise not_found(path)
    return capital(body["id"])


def below(world: World, request: Request) -> str:
    """The id that a request names, with the vault's part as Site Recovery spells it and the rest as sent."""
    return "/".join([vault_id(world, request), *request.path.strip("/").split("/")[8:]])


def parent_of(resource_id: str) -> str:
    """The id of the resource that this one lies in."""
    return resource_id.rsplit("/", 2)[0]


def name_of(resource_id: str) -> str:
    return resource_id.rstrip("/").rpartition("/")[2]


def same(one: str, other: str) -> bool:
    """Whether two ids are one resource's."""
    return one.strip("/").lower() == other.strip("/").lower()


def fabric_of(world: World, resource_id: str) -> Body:
    """The fabric that a container, mapping or item lies in."""
    return world.store.get(resource_id.partition("/replicationProtectionContainers/")[0]) or {}


def location_of(world: World, resource_id: str) -> str:
    """The region of the fabric that a container, mapping or item lies in; "" when it is gone."""
    return str(fabric_of(world, resource_id).get("location", ""))


def group_of(resource_id: str) -> str:
    """The id of the resource group that a resource lies in."""
    return "/".join(resource_id.split("/")[:5])


def subscription_of(resource_id: str) -> str:
    return part(resource_id, "subscriptions")
