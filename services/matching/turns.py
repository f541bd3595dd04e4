"""One case after another, as their turn comes: simple, and what a window is measured by."""

from collections.abc import Iterable, Mapping, Sequence

from services.matching.option import Option
from services.matching.ranking import ranked
from services.matching.roster import Roster
from services.matching.wanted import Wanted

Found = dict[str, Option]
Lists = Mapping[str, Sequence[Option]]


def one_by_one(turns: Iterable[Wanted], lists: Lists, roster: Roster) -> Found:
    """Return what each case gets when each takes its best as its turn comes."""
    found: Found = {}
    for want in turns:
        best = _best(want, lists[want.case.id], roster)
        if best is not None:
            found[want.case.id] = best
            roster.take(best.uses(want.length))
    return found


def take(turns: Iterable[Wanted], found: Found, roster: Roster) -> None:
    """Take the times of what was found."""
    for want in turns:
        if want.case.id in found:
            roster.take(found[want.case.id].uses(want.length))


def _best(want: Wanted, options: Sequence[Option], roster: Roster) -> Option | None:
    """Return the best that is left; the first of all options is, as long as it is possible."""
    if not options or options[0].possible(roster, want.length):
        return options[0] if options else None
    return next(iter(ranked(want, roster, 1)), None)
