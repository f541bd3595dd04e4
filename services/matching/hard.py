"""Hard constraints: by what a resource fails to be the member that a case needs.

What holds at any time is a table of reasons and tests; what depends on the day or the hour is
arithmetic on spans.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from typing import NamedTuple

from schemas.decisions import Reason
from schemas.demand import Need
from schemas.supply import Agency, Equipment
from services.matching.entry import Entry, bodies, fee
from services.matching.roster import Roster
from services.matching.times import HIGH, Span, both, days, merged, starts
from services.matching.wanted import Wanted

Spans = list[Span]


class Look(NamedTuple):
    """One resource, looked at for one need of a case."""

    entry: Entry
    need: Need
    wanted: Wanted
    roster: Roster


def fails(look: Look) -> frozenset[Reason]:
    """Return every constraint by which the resource fails; none: it fits."""
    found = {reason for reason, test in TABLE if test(look)}
    if not look.roster.room(look.entry):
        found.add("no_capacity")
    return frozenset(found | _late(look) | look.wanted.flaws)


def hopeless(look: Look) -> bool:
    """Whether the resource fails at any time, whatever it has open."""
    return any(test(look) for _, test in TABLE)


def spans(look: Look) -> Spans:
    """Return when the resource can be booked for the need."""
    found = look.roster.free(look.entry) if look.roster.room(look.entry) else []
    for _, held in _bounds(look):
        found = both(found, held)
    return found


def _late(look: Look) -> set[Reason]:
    """Return by which constraints of time it fails: each by itself, or else all that matter."""
    by: dict[Reason, Spans] = {"no_slot_in_time": look.roster.free(look.entry)}
    for reason, held in _bounds(look):
        by[reason] = both(by[reason], held) if reason in by else held
    since, until = look.wanted.window
    if _has(look, reduce(both, by.values()), (since, until)):
        return set()
    short = since + look.wanted.length > until
    window = (since, HIGH) if short else (since, until)
    alone = {reason for reason, held in by.items() if not _has(look, held, window)}
    return (alone | {"no_slot_in_time"} if short else alone) or set(by)


def _has(look: Look, held: Spans, window: Span) -> bool:
    return any(True for _ in starts(held, window, look.wanted.length))


def _bounds(look: Look) -> Iterator[tuple[Reason, Spans]]:
    """Yield when each constraint that depends on the day holds, if it does not always."""
    resource, need = look.entry.resource, look.need
    if resource.valid_from or resource.valid_to:
        yield "no_slot_in_time", [days(resource.valid_from, resource.valid_to)]
    if need.qualification:
        named = (q for q in resource.qualifications if q.name == need.qualification)
        yield "qualification_expired", merged(days(q.since, q.until) for q in named)
    if isinstance(resource, Equipment) and resource.calibration_until:
        yield "equipment_unavailable", [days(None, resource.calibration_until)]
    if look.wanted.demand.within:
        yield "element_not_offered", look.roster.inside(resource, look.wanted.demand.within)


def _alien(look: Look) -> bool:
    return not set(look.need.elements).issubset(look.entry.resource.elements)


def _powerless(look: Look) -> bool:
    resource, power = look.entry.resource, look.need.power
    return power is not None and not (isinstance(resource, Agency) and power in resource.powers)


def _unskilled(look: Look) -> bool:
    specialty = look.need.specialty
    return specialty is not None and specialty not in look.entry.resource.specialties


def _foreign(look: Look) -> bool:
    industry = look.need.industry
    return industry is not None and industry not in look.entry.resource.industries


def _partial(look: Look) -> bool:
    resolve = look.roster.supply.registry.resolve
    return not look.wanted.barred.isdisjoint(bodies(look.entry, resolve))


def _asked(look: Look) -> bool:
    return look.entry.id in look.wanted.case.moved.excluded


def _failed(look: Look) -> bool:
    resource = look.entry.resource
    return look.roster.rules.exclude_failed and any(
        one.grade == "fail" for one in getattr(resource, "grades", ())
    )


def _away(look: Look) -> bool:
    return look.entry.resource.status != "active" and look.entry.kind != "equipment"


def _out(look: Look) -> bool:
    return look.entry.kind == "equipment" and look.entry.resource.status != "active"


def _dear(look: Look) -> bool:
    budget = look.wanted.demand.budget
    return budget is not None and fee(look.entry) > budget


TABLE: tuple[tuple[Reason, Callable[[Look], bool]], ...] = (
    ("element_not_offered", _alien),
    ("authority_only", _powerless),
    ("no_specialty", _unskilled),
    ("no_industry", _foreign),
    ("conflict", _partial),
    ("all_declined", _asked),
    ("ineligible", _failed),
    ("no_capacity", _away),
    ("equipment_unavailable", _out),
    ("fee_not_agreed", _dear),
)
"""Constraints that hold, or do not, at any time."""
