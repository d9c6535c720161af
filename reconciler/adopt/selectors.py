"""The simplest selector that names exactly these VMs, of all the VMs there are.

Three shapes are tried, and the cheapest to read is taken: conditions that are all met; the same but for a few VMs
(`not`); one of several (`any`), the rest by id. What a shape costs is counted in `terms.py`: a tag is cheaper than a
resource group, and that than an id. The work is bounded: so many combinations and slices, never all of them.
`docs/decisions/0024` says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.adopt.census import SUBSCRIPTIONS, Census
from reconciler.adopt.terms import PER_ID, Condition, Surroundings, Term

_NOT = 2.0
_BRANCH = 2.0
_WIDE_TERMS = 12
"""Terms around the VMs that are tried with something taken away."""
_SLICES = 24
"""Values, the commonest first, by which VMs are cut into parts that are described one by one."""
_GOOD = 9.0
"""What costs no more than this is not looked for in a better shape."""


@dataclass(frozen=True)
class Choice:
    """A selector, as the policies write it, with what it costs to read."""

    selector: Mapping[str, Any]
    cost: float
    terms: tuple[Term, ...] = ()


class Selectors:
    """Finds selectors, each set of VMs once. The same set has the same selector, in every run."""

    def __init__(self, census: Census) -> None:
        self._census = census
        self._known: dict[int, Choice] = {}

    def name(self, target: int) -> Choice:
        """A selector of exactly the VMs of `target`, which is not empty. What is told apart by nothing is listed."""
        found = self._known.get(target)
        if found is None:
            found = self._known[target] = self._find(target)
        return found

    def _find(self, target: int) -> Choice:
        census = self._census
        if target == census.everyone:
            return self._everyone()
        surroundings = Surroundings(census, target)
        others = census.everyone & ~target
        whole = surroundings.tightest(others)
        choices = [Choice(whole.selector, whole.cost, (whole,))] if whole else []
        if not whole or whole.cost > _GOOD:
            choices.extend(self._without(target, surroundings.wide()))
            choices.append(self._pieces(target, others))
        return min(choices, key=lambda choice: choice.cost)

    def _everyone(self) -> Choice:
        facet = next(facet for facet in self._census.facets if facet.key == SUBSCRIPTIONS)
        term = Term.of([Condition(facet, facet.values_of(range(len(self._census.machines))))], self._census.everyone)
        return Choice(term.selector, term.cost, (term,))

    def _without(self, target: int, terms: list[Term]) -> Iterator[Choice]:
        """A wide term but for the VMs that it should not have."""
        census = self._census
        ranked = sorted(terms, key=lambda term: (term.cost + (term.mask & ~target).bit_count() ** 0.5, term.cost))
        for term in ranked[:_WIDE_TERMS]:
            surplus = term.mask & ~target
            tightest = Surroundings(census, surplus).tightest(target)
            rest = tightest or self._listed(surplus)
            yield Choice({"all": [term.selector, {"not": rest.selector}]}, term.cost + _NOT + rest.cost, (term,))

    def _pieces(self, target: int, others: int) -> Choice:
        """Parts that are described one by one; those that read alike are put together."""
        chosen: list[Term] = []
        left = target
        candidates = self._slices(target, others)
        while left and candidates:
            best = min(candidates, key=lambda term: (-_gain(term, left), term.cost))
            if _gain(best, left) <= 0:
                break
            chosen.append(best)
            left &= ~best.mask
        terms = _joined(chosen, self._census.everyone)
        if left:
            terms.append(self._listed(left))
        cost = sum(term.cost + _BRANCH for term in terms)
        if len(terms) == 1:
            return Choice(terms[0].selector, terms[0].cost, tuple(terms))
        return Choice({"any": [term.selector for term in terms]}, cost, tuple(terms))

    def _slices(self, target: int, others: int) -> list[Term]:
        """The tightest term around the VMs that share a value, for the commonest values."""
        census = self._census
        shared: dict[int, Condition] = {}
        for facet in census.facets:
            for value in sorted(facet.masks):
                part = facet.masks[value] & target
                if part & (part - 1) and part != target:
                    shared.setdefault(part, Condition(facet, (value,)))
        found: list[Term] = []
        ranked = sorted(shared, key=lambda part: -part.bit_count())
        for part in ranked:
            alone = Term.of([shared[part]], census.everyone)
            if not alone.mask & others:
                found.append(alone)
        mixed = [part for part in ranked if shared[part].mask & others]
        for part in mixed[:_SLICES]:
            tightest = Surroundings(census, part).tightest(others)
            if tightest:
                found.append(tightest)
        return found

    def _listed(self, target: int) -> Term:
        """By id: a VM that is called alike tomorrow, elsewhere, is not meant."""
        ids = self._census.ids
        return Term.of([Condition(ids, ids.values_of(self._census.positions(target)))], self._census.everyone)


def _gain(term: Term, left: int) -> float:
    """What is saved by a term, against listing its VMs."""
    return (term.mask & left).bit_count() * PER_ID - term.cost - _BRANCH


def _joined(terms: Iterable[Term], everyone: int) -> list[Term]:
    """Terms that differ in the values of one key only, as one."""
    found: list[Term] = []
    for term in terms:
        for place, other in enumerate(found):
            joined = _join(other, term)
            if joined is not None:
                found[place] = Term.of(joined, everyone)
                break
        else:
            found.append(term)
    return found


def _join(one: Term, other: Term) -> list[Condition] | None:
    keys = {condition.facet.key: condition for condition in one.conditions}
    if keys.keys() != {condition.facet.key for condition in other.conditions}:
        return None
    different = [item for item in other.conditions if keys[item.facet.key].values != item.values]
    if len(different) > 1:
        return None
    for item in different:
        both = sorted({*keys[item.facet.key].values, *item.values})
        keys[item.facet.key] = Condition(item.facet, tuple(both))
    return list(keys.values())
