"""The Vault document: shape only. Several kinds read it, and a kind never imports another; its rules are in `kinds`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document

Redundancy = Literal["LocallyRedundant", "ZoneRedundant", "GeoRedundant"]
SoftDeleteState = Literal["On", "AlwaysOn", "Off"]
Immutability = Literal["Disabled", "Unlocked", "Locked"]
OnRelease = Literal["keep", "stopRetain", "suspend", "deleteData"]


class SoftDelete(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A floor: a vault that does more than this is left as it is."""

    state: Annotated[
        SoftDeleteState,
        Meta(
            description="On, or AlwaysOn, which can never be undone. Azure accepts Off no more (BP-76). "
            "A vault that is AlwaysOn already satisfies On."
        ),
    ] = "On"
    days: Annotated[
        int,
        Meta(
            description="At least this many days are deleted backups kept, 14 to 180; the first 14 cost nothing. "
            "A vault that keeps them longer is left as it is."
        ),
    ] = 14


class Vault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A Recovery Services vault. Its name in Azure is the document's name. A setting that is left out is not managed:
    it stays as it is, and a new vault gets Azure's default."""

    subscription: Annotated[str, Meta(description="Alias of the vault's subscription, from the Scope.")]
    resource_group: Annotated[
        str, Meta(min_length=1, description="Resource group of the vault. It must be there: it is never created.")
    ]
    location: Annotated[
        str, Meta(min_length=1, description="Region, as westeurope. VMs are protected in a vault of their own region.")
    ]
    redundancy: Annotated[
        Redundancy | None,
        Meta(
            description="Copies of the backups: LocallyRedundant, ZoneRedundant or GeoRedundant (Azure's default). "
            "Azure allows a change only until the first VM is protected (BP-90)."
        ),
    ] = None
    cross_region_restore: Annotated[
        bool | None,
        Meta(
            description="Restore in the paired region while your own is up. Needs GeoRedundant; once it is on it "
            "cannot be switched off (BP-91)."
        ),
    ] = None
    soft_delete: Annotated[
        SoftDelete | None, Meta(description="How long deleted backups can be brought back: a floor.")
    ] = None
    immutability: Annotated[
        Immutability | None,
        Meta(
            description="Unlocked: recovery points cannot be deleted before they expire, until it is set back to "
            "Disabled. Locked: the same, for ever (BP-80). A vault that is Locked satisfies Unlocked."
        ),
    ] = None
    tags: Annotated[
        dict[str, str] | None, Meta(description="Tags that the vault must carry; other tags on it are left alone.")
    ] = None
    on_release: Annotated[
        OnRelease,
        Meta(
            description="What happens to a VM's backups here once no policy asks for them. keep: go on as they are. "
            "stopRetain: stop, keep every recovery point for ever. suspend: stop, let recovery points expire (only in "
            "an immutable vault). deleteData: delete them; the guard against it must be lifted in each run."
        ),
    ] = "keep"


def vault_scope(vault: Vault) -> str:
    """The address scope of a declared vault: alias and resource group."""
    return f"{vault.subscription}/{vault.resource_group}"


def vault_address(document: Document[Vault]) -> Address:
    """The vault itself."""
    return Address("vault", vault_scope(document.value), document.name)


def settings_address(document: Document[Vault]) -> Address:
    """The vault's settings: what protection in it waits for."""
    return Address("vault_settings", vault_scope(document.value), document.name)


def vault_id(document: Document[Vault], declared: Declared) -> ArmId | None:
    """Where the declared vault is or will be; None where its subscription is not in the Scope (an error of its own)."""
    subscription_id = declared.subscriptions.get(document.value.subscription)
    if subscription_id is None:
        return None
    return ArmId(
        f"/subscriptions/{subscription_id}/resourceGroups/{document.value.resource_group}"
        f"/providers/Microsoft.RecoveryServices/vaults/{document.name}"
    )
