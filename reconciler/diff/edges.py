"""What waits for what. The only source is the `Ref` fields of the specs; a kind orders only its own steps."""

from __future__ import annotations

import dataclasses
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

import msgspec

from reconciler.diff.judgement import Draft, block
from reconciler.model.address import Address
from reconciler.plan.change import Action, Change, Phase, Reason, Step

Drafts = Mapping[Address, Draft]


def spread_blocks(drafts: dict[Address, Draft], unknown: Iterable[Address]) -> None:
    """Block, in place, every change that cannot go on without one that is blocked or without knowing what is there.

    What a resource refers to already, live, does not hold it back: only what it newly needs does. Nor does what only
    orders, as long as it is there.
    """
    waiting: dict[Address, list[Address]] = defaultdict(list)
    users = _users(drafts)
    for address, item in drafts.items():
        for needed in (item.needs - item.uses).union(users.get(address, ()) if _tears_down(item) else ()):
            waiting[needed].append(address)
    hidden = set(unknown)
    blocked = [address for address, item in drafts.items() if item.change.action is Action.BLOCKED]
    queue = deque([*sorted(hidden), *sorted(blocked)])
    while queue:
        root = queue.popleft()
        there = root not in hidden and drafts[root].change.before is not None
        for address in sorted(waiting.get(root, ())):
            item = drafts[address]
            if there and root in item.can_do_without:
                continue
            if item.change.action is not Action.BLOCKED:
                drafts[address] = dataclasses.replace(item, change=_hold_back(item.change, root, root in hidden))
                queue.append(address)


def link(drafts: Drafts) -> list[Change]:
    """The changes, with `Step.after` filled.

    The steps of one change follow each other. A change waits for the setup of what it will refer to, before it takes
    anything down, so that a failure leaves it as it was. A resource is taken down after its users have let go of it.
    """
    users = _users(drafts)
    return [_link_one(item, drafts, users.get(address, ())) for address, item in drafts.items()]


def _link_one(item: Draft, drafts: Drafts, users: Iterable[Address]) -> Change:
    if not item.change.steps:
        return item.change
    needed = [drafts[target] for target in item.needs if target in drafts]
    setup = {_last(other.change, Phase.SETUP) for other in needed}
    clean = {_last(other.change, Phase.SETUP) for other in needed if not _tears_down(other)}
    gone = {drafts[user].change.steps[-1].id for user in users if drafts[user].change.steps}
    steps: list[Step] = []
    for step in item.change.steps:
        after = {*step.after, *(setup if step.phase is Phase.SETUP else clean | gone)}
        if steps:
            after.add(steps[-1].id)
        steps.append(msgspec.structs.replace(step, after=tuple(sorted(after - {""}))))
    return msgspec.structs.replace(item.change, steps=tuple(steps))


def _last(change: Change, phase: Phase) -> str:
    """The last step of a phase; the ones before it in the change precede it anyway."""
    return next((step.id for step in reversed(change.steps) if step.phase is phase), "")


def _tears_down(item: Draft) -> bool:
    return bool(_last(item.change, Phase.TEARDOWN))


def _users(drafts: Drafts) -> Mapping[Address, list[Address]]:
    """Address → the changing resources that refer to it in Azure and no longer will."""
    users: dict[Address, list[Address]] = defaultdict(list)
    for address, item in drafts.items():
        for target in item.uses - item.needs:
            if target in drafts:
                users[target].append(address)
    return users


def _hold_back(change: Change, root: Address, hidden: bool) -> Change:
    if hidden:
        return block(change, Reason.UNREADABLE, f"needs {root}, which could not be read", f"make {root} readable")
    return block(change, Reason.DEPENDS_ON_BLOCKED, f"needs {root}, which is blocked", f"settle {root} first")
