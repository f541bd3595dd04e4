"""Why nobody serves, or nobody better: the constraints that block, and whom they kept from it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from schemas.decisions import Passed, Reason
from services.matching.bundle import best
from services.matching.entry import Entry
from services.matching.hard import Look, fails
from services.matching.option import Fit, Option, eligible
from services.matching.roster import Roster
from services.matching.score import parts
from services.matching.times import ALWAYS, Span, starts
from services.matching.wanted import Wanted

NEAR, BETTER = 20, 5
"""So many resources are named that nearly could serve, or would have been better."""

Failing = list[tuple[Entry, frozenset[Reason]]]


def failing(wanted: Wanted, need: int, roster: Roster) -> Failing:
    """Return those who could be needed, and by which constraints each fails; none: it fits.

    Needed is who offers what is asked, or a part of it where nobody offers all, and who has the
    power, where anybody has it.
    """
    wish, pool = wanted.needs[need], wanted.case.moved.pool
    offering = roster.offering(pool, wish.elements)
    able = [e for e in offering if e.kind in wish.kinds and eligible(e, wanted)]
    if not able:
        some = (e for e in roster.entries(pool) if e.kind in wish.kinds and eligible(e, wanted))
        able = [e for e in some if set(wish.elements) & set(e.resource.elements)]
    found = [(entry, fails(Look(entry, wish, wanted, roster))) for entry in able]
    empowered = [one for one in found if "authority_only" not in one[1]]
    return empowered or found


def reasons(wanted: Wanted, roster: Roster) -> tuple[Reason, ...]:
    """Return the constraints that block: some resource that is needed fails by exactly this one.

    Where all fail by more, those by which the nearest fail.
    """
    found = set[Reason]()
    for need in range(len(wanted.needs)):
        found |= _blocking(wanted, need, failing(wanted, need, roster))
    return tuple(sorted(found or _together(wanted, roster), key=_order))


def _blocking(wanted: Wanted, need: int, by: Failing) -> frozenset[Reason]:
    if not by:
        return frozenset({_none(wanted, need)}) | wanted.flaws
    least = min(len(failed) for _, failed in by)
    return frozenset().union(*(failed for _, failed in by if len(failed) == least))


def _none(wanted: Wanted, need: int) -> Reason:
    """Return why there is nobody at all to look at."""
    wish = wanted.needs[need]
    if wish.power is not None:
        return "authority_only"
    return "equipment_unavailable" if wish.kinds == ("equipment",) else "element_not_offered"


def _together(wanted: Wanted, roster: Roster) -> set[Reason]:
    """Return what blocks when each need could be met, but not all of them at once."""
    by = [failing(wanted, need, roster) for need in range(len(wanted.needs))]
    found = {reason for reason in get_args(Reason) if _without(reason, by, wanted, roster)}
    if found:
        return found
    anyone = [[Fit(e, {}, 0, []) for e, failed in one if not failed] for one in by]
    return {"no_slot_in_time" if best(anyone, None) else "no_capacity"}


def _without(reason: Reason, by: Sequence[Failing], wanted: Wanted, roster: Roster) -> bool:
    """Whether all needs could be met if it were not for one constraint."""
    pools = [
        [Fit(e, {}, 0, _times(reason, e, roster)) for e, failed in one if failed <= {reason}]
        for one in by
    ]
    budget = None if reason == "fee_not_agreed" else wanted.demand.budget
    length = wanted.length
    begins = {s for pool in pools for fit in pool for s in starts(fit.spans, wanted.window, length)}
    return any(
        best([[f for f in pool if _at(f.spans, at, at + length)] for pool in pools], budget)
        for at in sorted(begins)
    )


def _times(reason: Reason, entry: Entry, roster: Roster) -> list[Span]:
    return [ALWAYS] if reason == "no_slot_in_time" else roster.free(entry)


def _at(spans: Iterable[Span], start: int, end: int) -> bool:
    return any(a <= start and end <= b for a, b in spans)


def nearest(wanted: Wanted, roster: Roster) -> tuple[Passed, ...]:
    """Return those who lack the least, and what they lack first."""
    found: dict[str, tuple[int, int, Reason]] = {}
    for need in range(len(wanted.needs)):
        for entry, failed in failing(wanted, need, roster):
            points = sum(parts(entry, wanted, roster).values())
            if failed:
                one = (len(failed), -points, min(failed, key=_order))
                found[entry.id] = min(one, found.get(entry.id, one))
    near = sorted((*one[:2], name, one[2]) for name, one in found.items())
    return tuple(Passed(id=name, reason=reason) for *_, name, reason in near[:NEAR])


def better(wanted: Wanted, got: Option, roster: Roster) -> tuple[Passed, ...]:
    """Return those for whom as much speaks as for who serves, and the one thing against them."""
    found: dict[str, tuple[int, str, Reason]] = {}
    for need, fit in enumerate(got.fits):
        for points, entry in _rivals(wanted, need, fit, roster):
            if entry.id not in got.ids:
                failed = fails(Look(entry, wanted.needs[need], wanted, roster))
                if len(failed) == 1:
                    found.setdefault(entry.id, (-points, entry.id, min(failed)))
    return tuple(Passed(id=n, reason=reason) for _, n, reason in sorted(found.values())[:BETTER])


def _rivals(wanted: Wanted, need: int, fit: Fit, roster: Roster) -> Iterator[tuple[int, Entry]]:
    wish = wanted.needs[need]
    for entry in roster.offering(wanted.case.moved.pool, wish.elements):
        if entry.kind in wish.kinds and eligible(entry, wanted):
            points = sum(parts(entry, wanted, roster).values())
            if points >= fit.points:
                yield points, entry


def _order(reason: Reason) -> tuple[bool, int]:
    """Order reasons as they are declared, but that all have declined comes first."""
    return (reason != "all_declined", get_args(Reason).index(reason))
