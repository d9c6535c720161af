"""Which protected item a person means: that of a VM which is there, or of one that is gone and still has backups."""

from __future__ import annotations

from reconciler.errors import UsageError
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.live import Live
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Resource

_NAMED = 8
"""How many VMs a message names."""


def find_item(text: str, live: Live) -> Resource:
    """The one protected item of the VM that `text` means: a name, `group/name`, `alias/group/name` or an ARM id, in any
    casing. Raises UsageError where no vault, or more than one VM, is meant, and for one that is soft-deleted."""
    items = [item for item in live.state.values() if isinstance(item.observed, ItemFacts)]
    if text.strip("/").casefold().startswith("subscriptions/"):
        found = [item for item in items if facts_of(item).machine_id == ArmId(text)]
    else:
        found = [item for item in items if f"/{fold(label_of(item))}".endswith(f"/{fold(text.strip('/'))}")]
    if len(found) > 1:
        names = sorted(label_of(item) for item in found)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        shown = ", ".join(names[:_NAMED])
        raise UsageError(f"{text!r} may mean {len(names)} VMs", advice=f"write one of {shown}{more}")
    if not found:
        raise UsageError(
            f"no vault in the subscriptions of the Scope holds backups of a VM {text!r}",
            why=f"{live.unreadable[0].message}: it may be there" if live.unreadable else "",
            advice="write its name, group/name, alias/group/name or its ARM id; "
            "`reconciler explain VM` tells what protects a VM",
        )
    if facts_of(found[0]).state is ItemState.SOFT_DELETED:
        raise UsageError(
            f"the backups of {label_of(found[0])} are soft-deleted: nothing can be restored from them as they are",
            advice="bring them back first: protect the VM again, or az backup protection undelete",
        )
    return found[0]


def facts_of(item: Resource) -> ItemFacts:
    """What was seen of a protected item."""
    assert isinstance(item.observed, ItemFacts)
    return item.observed


def label_of(item: Resource) -> str:
    """`alias/group/name` of the VM that an item protects."""
    return f"{item.address.scope}/{item.address.name}"
