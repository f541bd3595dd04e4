"""One way to serve a case, as choosing weighs it: who, from when on, and with which score."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.decisions import Member, Part
from services.matching.choice import Candidate
from services.matching.entry import Entry, Use
from services.matching.hard import Look, Spans, hopeless, spans
from services.matching.roster import Roster
from services.matching.score import WEIGHTS, Parts, parts, soon
from services.matching.times import moment
from services.matching.wanted import Wanted


class Fit(NamedTuple):
    """A resource that can be a member, at `spans`. `points` are the sum of its parts."""

    entry: Entry
    parts: Parts
    points: int
    spans: Spans


class Option(NamedTuple):
    """Members in the order of the needs, from `start` on; `points` are the score."""

    points: int
    start: int
    fits: tuple[Fit, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Who they are."""
        return tuple(fit.entry.id for fit in self.fits)

    @property
    def key(self) -> tuple[int, int, tuple[str, ...]]:
        """The best comes first, then the earliest, then by ids."""
        return (-self.points, self.start, self.ids)

    def uses(self, length: int) -> list[Use]:
        """Return what it takes."""
        return [Use(fit.entry.id, self.start, self.start + length) for fit in self.fits]

    def possible(self, roster: Roster, length: int) -> bool:
        """Whether all members still have the time."""
        end = self.start + length
        return all(roster.possible(fit.entry, self.start, end) for fit in self.fits)


def fitting(wanted: Wanted, need: int, roster: Roster) -> list[Fit]:
    """Return all that can be one member, by what speaks for them; their times may be too few."""
    if need not in wanted.fits:
        found = [] if wanted.flaws else list(_fits(wanted, need, roster))
        found.sort(key=lambda fit: (-fit.points, fit.entry.id))
        wanted.fits[need] = found
    return wanted.fits[need]


def _fits(wanted: Wanted, need: int, roster: Roster) -> Iterator[Fit]:
    wish = wanted.needs[need]
    for entry in roster.offering(wanted.case.moved.pool, wish.elements):
        look = Look(entry, wish, wanted, roster)
        if entry.kind in wish.kinds and eligible(entry, wanted) and not hopeless(look):
            held = parts(entry, wanted, roster)
            yield Fit(entry, held, sum(held.values()), [])


def timed(fit: Fit, wanted: Wanted, need: int, roster: Roster) -> Fit:
    """Return a fit with the times at which it can be booked."""
    return fit._replace(spans=spans(Look(fit.entry, wanted.needs[need], wanted, roster)))


def eligible(entry: Entry, wanted: Wanted) -> bool:
    """Whether a resource serves whoever asks: another pool gets only those that are shared."""
    return entry.resource.shared or wanted.case.moved.kind != "referral"


def option(fits: Sequence[Fit], start: int, wanted: Wanted, roster: Roster) -> Option:
    """Return an option."""
    if len(fits) == 1:
        return Option(fits[0].points + soon(start, wanted, roster), start, tuple(fits))
    points = sum(scored(fits, start, wanted, roster).values())
    return Option(points, start, tuple(fits))


def scored(fits: Sequence[Fit], start: int, wanted: Wanted, roster: Roster) -> Parts:
    """Return the parts of a score by name: of several members the mean, rounded down."""
    found = {"soon": soon(start, wanted, roster)}
    for name in WEIGHTS:
        if name != "soon":
            found[name] = sum(fit.parts.get(name, 0) for fit in fits) // len(fits)
    return {name: points for name, points in found.items() if points}


def candidate(of: Option, wanted: Wanted, roster: Roster) -> Candidate:
    """Return an option as others get to see it."""
    start, end = moment(of.start), moment(of.start + wanted.length)
    members = (
        Member(kind=fit.entry.kind, id=fit.entry.id, start=start, end=end) for fit in of.fits
    )
    found = scored(of.fits, of.start, wanted, roster).items()
    return Candidate(tuple(members), tuple(Part(name=n, points=p) for n, p in found))
