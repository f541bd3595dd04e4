"""A window: all cases at once, never worse than one after another.

Where everybody gets the best, one after another is as good as it can be. Other cases that want the
same resources are decided together.
"""

from collections.abc import Sequence

from services.matching.contention import contended
from services.matching.option import Option
from services.matching.parts import parts
from services.matching.ranking import ranked
from services.matching.roster import Roster
from services.matching.turns import Found, Lists, one_by_one, take
from services.matching.wanted import Wanted


def settle(wants: Sequence[Wanted], roster: Roster) -> tuple[Found, Lists]:
    """Return by case how it is served, and all its options; `roster` takes the times."""
    turns = sorted(wants, key=lambda want: want.turn)
    lists = {w.case.id: ranked(w, roster, roster.rules.candidates) for w in turns}
    eager = one_by_one(turns, lists, roster.copy())
    found: Found = {}
    torn: list[Wanted] = []
    for part in parts(turns, lists, eager):
        if all(_content(lists[w.case.id], eager.get(w.case.id)) for w in part):
            found |= {w.case.id: eager[w.case.id] for w in part if w.case.id in eager}
        else:
            torn += part
    take(turns, found, roster)
    if torn:
        found |= contended(sorted(torn, key=lambda want: want.turn), lists, eager, roster)
    return found, lists


def _content(options: Sequence[Option], got: Option | None) -> bool:
    return got == options[0] if options else got is None
