"""What single VMs have → Protections: whoever has the same is named by one selector, exactly.

Each aspect is looked at by itself, as people write them: backups by tier, snapshots by what changes. Aspects whose VMs
are the same stand in one Protection. No two give one VM the same aspect, so no priority is needed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.adopt.census import IDS, Census
from reconciler.adopt.selectors import Choice, Selectors
from reconciler.kinds.adoption import Held
from reconciler.model.counting import count

_MOST_WORDS = 4
_LONGEST = 60
_MOST_ORIGINS = 4


@dataclass(frozen=True, slots=True)
class Drafted:
    """A Protection: its body, and for the comment how many VMs it is for and where their protection was found."""

    name: str
    body: Mapping[str, Any]
    comment: str


@dataclass(slots=True)
class _Share:
    """The VMs that have the same of one aspect."""

    mask: int
    value: Any
    origins: Counter[str]


def draft_protections(held: Sequence[Held], census: Census, selectors: Selectors) -> list[Drafted]:
    """One Protection for each set of VMs, in order of name. Deterministic."""
    by_mask: dict[int, dict[str, _Share]] = defaultdict(dict)
    for aspect, share in _shares(held, census):
        by_mask[share.mask][aspect] = share
    having: dict[str, int] = defaultdict(int)
    for mask, aspects in by_mask.items():
        for aspect in aspects:
            having[aspect] |= mask
    found: list[Drafted] = []
    taken: set[str] = set()
    for mask, aspects in sorted(by_mask.items(), key=lambda item: (-item[0].bit_count(), item[0])):
        choice = selectors.name(mask)
        bodies = {aspect: plain(share.value) for aspect, share in sorted(aspects.items())}
        name = _name(choice, bodies, taken)
        found.append(
            Drafted(name, {"select": dict(choice.selector), **bodies}, _comment(mask, aspects, choice, having))
        )
    return sorted(found, key=lambda one: one.name)


def plain(value: Any) -> Any:
    """A struct in the spelling of the policies, without what it does not say."""
    return _tidy(msgspec.to_builtins(value))


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tidy(item) for key, item in value.items() if item is not None and item != []}
    return [_tidy(item) for item in value] if isinstance(value, list | tuple) else value


def _shares(held: Iterable[Held], census: Census) -> Iterator[tuple[str, _Share]]:
    machines: dict[tuple[str, Any], list[Held]] = defaultdict(list)
    for one in held:
        machines[one.aspect, one.value].append(one)
    ordered = sorted(machines.items(), key=lambda item: (item[0][0], msgspec.json.encode(item[0][1])))
    for (aspect, value), members in ordered:
        mask = census.mask(member.machine for member in members)
        yield aspect, _Share(mask, value, Counter(member.origin for member in members if member.origin))


def _comment(mask: int, aspects: Mapping[str, _Share], choice: Choice, having: Mapping[str, int]) -> str:
    number = mask.bit_count()
    told = [f"Explains {number:,} of {count(number, 'VM')}"]
    for aspect, share in sorted(aspects.items()):
        if share.origins:
            ranked = sorted(share.origins, key=lambda origin: (-share.origins[origin], origin))
            found = ", ".join(f"{origin} ({share.origins[origin]:,})" for origin in ranked[:_MOST_ORIGINS])
            more = f" and {len(ranked) - _MOST_ORIGINS} more" if len(ranked) > _MOST_ORIGINS else ""
            told.append(f"{aspect}: {found}{more}")
    return ". ".join(("; ".join(told), *_exceptions(mask, aspects, choice, having))) + "."


def _exceptions(mask: int, aspects: Iterable[str], choice: Choice, having: Mapping[str, int]) -> Iterator[str]:
    """Of the VMs that a `not` leaves out, how many have nothing instead: somebody may have forgotten those."""
    if "all" not in choice.selector or len(choice.terms) != 1:
        return
    left = choice.terms[0].mask & ~mask
    for aspect in sorted(aspects):
        bare = (left & ~having[aspect]).bit_count()
        if bare:
            have = "has" if bare == 1 else "have"
            who = f"Of {count(left.bit_count(), 'VM')} that `not` leaves out {bare:,}"
            yield f"{who} {have} no {aspect} in any policy here"


def _name(choice: Choice, bodies: Mapping[str, Any], taken: set[str]) -> str:
    """By what its VMs share; where that takes many words, by what they get."""
    words: list[str] = []
    if len(choice.terms) == 1 and not _listed(choice):
        shown = ((item.facet.key, value) for item in choice.terms[0].conditions for value in item.shown)
        words = [value.rpartition("/")[2] if key == IDS else value for key, value in shown]
    if not words or len(words) > _MOST_WORDS:
        words = [next((text for text in body.values() if isinstance(text, str)), "vms") for body in bodies.values()]
    base = slug("-".join(words)) or "vms"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def _listed(choice: Choice) -> bool:
    """Whether VMs that have nothing in common are listed one by one."""
    return any(item.facet.key == IDS and len(item.values) > 1 for item in choice.terms[0].conditions)


def slug(text: str) -> str:
    """Small letters, digits and hyphens: safe as a name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:_LONGEST].strip("-")
