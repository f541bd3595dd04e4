"""Who is looked at in a round: what waits, and what waits again because something has changed.

A case that nobody could serve is worth a look only if somebody who has changed, or was freed, could
be a member: all others were looked at before, and time by itself only takes away, but for calendars
that open, for which the clock wakes whole pools.
"""

from collections.abc import Collection, Iterable

from schemas.demand import Demand
from services.matching.choice import Case
from services.matching.entry import Entry
from services.matching.hard import Look, hopeless, spans
from services.matching.option import eligible
from services.matching.roster import Roster
from services.matching.sitting import Sitting
from services.matching.supply import kind_of
from services.matching.times import starts
from services.matching.wanted import Wanted, wanted

ROUND = 200
"""So many cases are matched in one round; the others wait for the next, which follows at once."""


def awake(sitting: Sitting) -> list[Case]:
    """Return the cases of this round: urgent ones first, then who has waited longest."""
    book = sitting.book
    known = book.hopeful & book.unmatched
    book.stirred |= book.freed
    book.hopeful = _hopeful(sitting, known, book.stirred)
    book.hopeful |= _hopeful(sitting, book.unmatched - known, book.freed)
    book.freed.clear()
    cases = [Case(request, book.cases[request]) for request in book.queue | book.hopeful]
    cases.sort(key=lambda c: (not c.moved.demand.urgent, c.moved.submitted_at, c.id))
    chosen = cases[:ROUND]
    book.hopeful.difference_update(case.id for case in chosen)
    if not book.hopeful:
        book.stirred.clear()
    return chosen


def _hopeful(sitting: Sitting, requests: Collection[str], changed: Collection[str]) -> set[str]:
    """Return the requests that somebody might serve now; `changed` are ids of whatever changed."""
    if not (requests and changed):
        return set()
    supply, now, rules = sitting.supply, sitting.now, sitting.rules
    roster, entries = Roster(supply, sitting.book.diary, now, rules), _entries(sitting, changed)
    found = set[str]()
    for request in requests:
        moved = sitting.book.cases[request]
        own = {moved.pool, moved.enterprise_id, supply.registry.resolve(moved.enterprise_id)}
        if not own.isdisjoint(changed):
            found.add(request)
            continue
        near = _near(moved.demand, entries.get(moved.pool, ()))
        if near and _fits(wanted(Case(request, moved), supply, now, rules), near, roster):
            found.add(request)
    return found


def _near(demand: Demand, entries: Iterable[Entry]) -> list[Entry]:
    """Return who offers what some need asks for: a first look, for it costs the least."""
    wishes = [set(need.elements) for need in demand.needs] or [set(demand.elements)]
    return [e for e in entries if any(wish.issubset(e.resource.elements) for wish in wishes)]


def _entries(sitting: Sitting, changed: Iterable[str]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for name in sorted(changed):
        resource = sitting.supply.find(name)
        if resource is not None:
            entry = Entry(name, resource, kind_of(resource))
            found.setdefault(name.partition(".")[0], []).append(entry)
    return found


def _fits(want: Wanted, entries: Iterable[Entry], roster: Roster) -> bool:
    looks = (Look(entry, need, want, roster) for entry in entries for need in want.needs)
    return not want.flaws and any(_possible(look) for look in looks)


def _possible(look: Look) -> bool:
    if look.entry.kind not in look.need.kinds or not eligible(look.entry, look.wanted):
        return False
    found = () if hopeless(look) else spans(look)
    return any(True for _ in starts(found, look.wanted.window, look.wanted.length))
