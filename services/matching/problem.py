"""Contended cases as a problem for a solver: what each option is worth, and what is scarce."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.matching.entry import Entry
from services.matching.option import Option
from services.matching.roster import Roster
from services.matching.times import Span
from services.matching.value import weights
from services.matching.wanted import Wanted

MOST = 2**61
"""What all points together must stay below for a solver, if they are to tell ties apart."""


class Pick(NamedTuple):
    """Case number `case` takes an option, which is worth `points`."""

    case: int
    option: Option
    points: int
    end: int


class Problem(NamedTuple):
    """The cases in their turn, their options, and the roster that says how much is left."""

    wants: Sequence[Wanted]
    picks: Sequence[Pick]
    roster: Roster

    def users(self) -> dict[str, tuple[Entry, list[int]]]:
        """Return by resource who it is, and the numbers of the picks that take it."""
        found: dict[str, tuple[Entry, list[int]]] = {}
        for number, pick in enumerate(self.picks):
            for fit in pick.option.fits:
                found.setdefault(fit.entry.id, (fit.entry, []))[1].append(number)
        return found

    def span(self, number: int) -> Span:
        """Return the time that a pick takes."""
        return (self.picks[number].option.start, self.picks[number].end)

    def spare(self, entry: Entry) -> int | None:
        """Return how many assignments more a resource may have; None: any number."""
        cap = entry.resource.cap
        return None if cap is None else max(0, cap - self.roster.load(entry.id))

    def crowds(self, entry: Entry, numbers: Sequence[int]) -> Iterator[tuple[list[int], int]]:
        """Yield picks that lie over each other, and how many of them there is room for.

        Wherever one begins, or a booking, is enough: nowhere else do more lie over each other.
        """
        bookings = self.roster.bookings(entry.id)
        waiting = sorted(((*self.span(n), n) for n in numbers), reverse=True)
        over: list[tuple[int, int]] = []
        for at in sorted({start for start, _, _ in waiting} | {start for start, _ in bookings}):
            over = [one for one in over if one[0] > at]
            while waiting and waiting[-1][0] == at:
                over.append(waiting.pop()[1:])
            room = entry.resource.capacity - sum(a <= at < b for a, b in bookings)
            if len(over) > room:
                yield [n for _, n in over], max(0, room)


def problem(
    wants: Sequence[Wanted], options: Sequence[Sequence[Option]], roster: Roster
) -> Problem:
    """Return the problem of serving these cases; ties go to who has waited longest."""
    made = [
        (n, one, serving + one.points, one.start + wants[n].length)
        for n, serving in enumerate(weights(wants))
        for one in options[n]
    ]
    count = len(wants)
    finer = count * (count + 1) // 2 + 1
    if finer * sum(points for _, _, points, _ in made) >= MOST:
        return Problem(wants, [Pick(*one) for one in made], roster)
    picks = [Pick(n, one, finer * points + count - n, end) for n, one, points, end in made]
    return Problem(wants, picks, roster)
