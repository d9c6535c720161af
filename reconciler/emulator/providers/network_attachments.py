"""Which network interfaces a virtual machine has: ``virtualMachine`` of the interface follows the machine's profile."""

from __future__ import annotations

from reconciler.emulator.failures import bad_request, not_found
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

INTERFACES = "Microsoft.Network/networkInterfaces"
CONFIGURATIONS = f"{INTERFACES}/ipConfigurations"


def interface_references(machine: Body | None) -> list[Body]:
    """The entries of a machine's network profile."""
    profile = (machine or {"properties": {}})["properties"].get("networkProfile") or {}
    return list(profile.get("networkInterfaces") or [])


def check_interfaces(world: World, machine: Body, before: Body | None) -> None:
    """Raises ArmError for a new interface that is absent, in another region, or another machine's."""
    known = {str(entry.get("id", "")).lower() for entry in interface_references(before)}
    for entry in interface_references(machine):
        identity = str(entry.get("id", ""))
        if identity.lower() in known:
            continue
        interface = world.store.get(identity)
        if interface is None:
            raise not_found(identity)
        if interface["location"] != machine["location"]:
            message = (
                f"Resource {interface['id']} referenced by resource {machine['id']} was not found. Please make sure "
                "that the referenced resource exists, and that both resources are in the same region."
            )
            raise bad_request("InvalidResourceReference", message)
        owner = str((interface["properties"].get("virtualMachine") or {}).get("id") or machine["id"])
        if owner.lower() != machine["id"].lower():
            message = f"Network Interface {interface['id']} is used by existing VM {owner}."
            raise bad_request("NicInUse", message)


def bind_interfaces(world: World, machine: Body, before: Body | None) -> None:
    """Makes the interfaces of a checked machine its own, and frees those that it had before and has no more."""
    references = interface_references(machine)
    kept = {str(entry.get("id", "")).lower() for entry in references}
    for entry in interface_references(before):
        if str(entry.get("id", "")).lower() not in kept:
            _free(world, str(entry["id"]))
    for entry in references:
        interface = world.store.get(entry["id"])
        if interface is not None:
            interface["properties"]["virtualMachine"] = {"id": machine["id"]}
            primary = (entry.get("properties") or {}).get("primary", len(references) == 1)
            interface["properties"]["primary"] = bool(primary)
            world.store.replace(interface["id"], interface)


def release_interfaces(world: World, machine: Body) -> None:
    """What becomes of the interfaces of a machine that is gone: they stay, or go with ``deleteOption: Delete``."""
    for entry in interface_references(machine):
        if (entry.get("properties") or {}).get("deleteOption") == "Delete":
            remove_interface(world, str(entry["id"]))
        else:
            _free(world, str(entry["id"]))


def remove_interface(world: World, identity: str) -> None:
    """An interface with its addresses; a public address that it had stays."""
    for configuration in world.store.ids(CONFIGURATIONS, identity):
        public = (world.store.get(configuration) or {}).get("publicIPAddress", "")
        address = world.store.get(public)
        if address is not None:
            address["properties"].pop("ipConfiguration", None)
            world.store.replace(public, address)
        world.store.delete(configuration)
    world.store.delete(identity)


def _free(world: World, identity: str) -> None:
    interface = world.store.get(identity)
    if interface is not None:
        interface["properties"].pop("virtualMachine", None)
        interface["properties"].pop("primary", None)
        world.store.replace(identity, interface)
