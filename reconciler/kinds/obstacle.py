"""What Azure, as it is now, does not allow of one resource: that change is blocked, and all others go on."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kinds.base import Verdict
from reconciler.plan.change import Action, Reason


@dataclass(frozen=True, slots=True)
class Obstacle:
    """In words that are equal for all VMs that it stands in the way of, so that a report tells them together. `why`
    names the rule where there is one; `manual` is the way out by hand."""

    why: str
    manual: str

    def verdict(self) -> Verdict:
        return Verdict(Action.BLOCKED, Reason.NOT_IN_AZURE, self.why, self.manual)


def group_missing(alias: str, subscription: str, group: str, location: str) -> Obstacle:
    """Resource groups are never made by us."""
    return Obstacle(
        f"the resource group {group} does not exist in subscription {alias}",
        f"az group create --name {group} --location {location} --subscription {subscription}",
    )
