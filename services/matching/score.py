"""Soft constraints: why one who fits is better than another.

Each part is so heavy that one point of it outweighs all parts below it together. Knowing the
enterprise comes before the case or campaign, then the record in its industry, an office at the
node, nearness, the bonus for excellent work, and little to do. What is urgent is served early
rather than by who knows it.
"""

from collections.abc import Mapping

from schemas.days import business_day
from schemas.supply import Agency
from services.matching.entry import Entry
from services.matching.roster import Roster
from services.matching.times import MINUTE, instant, rounded
from services.matching.wanted import Wanted

LOADS, BONUS, HOPS = 20, 20, 10
"""The most that the parts load, bonus and near can be, before they are weighed."""
SOONEST = 14 * 24 * 60
"""Minutes; what begins later than that is not soon."""

_load = 1
_bonus = LOADS + 1
_near = (BONUS + 1) * _bonus
_resident = (HOPS + 1) * _near
WEIGHTS: Mapping[str, int] = {
    "soon": 16 * _resident,
    "knows": 8 * _resident,
    "continuity": 4 * _resident,
    "industry": 2 * _resident,
    "resident": _resident,
    "near": _near,
    "bonus": _bonus,
    "load": _load,
}
CALM = WEIGHTS["soon"]
"""No score of what is not urgent reaches it."""
BEST = (SOONEST + 1) * WEIGHTS["soon"]
"""No score of all reaches it."""

Parts = dict[str, int]


def parts(entry: Entry, wanted: Wanted, roster: Roster) -> Parts:
    """Return what speaks for a resource whenever it serves, by name; only what is not zero."""
    moved, demand, resource = wanted.case.moved, wanted.demand, entry.resource
    known, series = roster.diary.known, roster.diary.campaigns
    names = {moved.enterprise_id, wanted.enterprise}
    ongoing = (name for name in (demand.campaign_id, demand.project_id) if name)
    counts = {
        "knows": any(known.get((entry.id, name)) for name in names),
        "continuity": any(series.get((entry.id, name)) for name in ongoing),
        "industry": roster.supply.industry(moved.enterprise_id) in resource.industries,
        "resident": moved.node_id in resource.resident_at,
        "near": _nearness(resource.place, moved.node_id, roster) if resource.place else 0,
        "bonus": resource.bonus if isinstance(resource, Agency) else 0,
        "load": max(0, LOADS - roster.diary.load(entry.id)),
    }
    return {name: WEIGHTS[name] * count for name, count in counts.items() if count}


def soon(start: int, wanted: Wanted, roster: Roster) -> int:
    """Return what speaks for a start, for what is urgent: every minute counts."""
    if not wanted.demand.urgent:
        return 0
    minutes = (start - rounded(instant(roster.now))) // MINUTE
    return WEIGHTS["soon"] * max(0, SOONEST - minutes)


def _nearness(place: str, node: str, roster: Roster) -> int:
    """Return how near two nodes are today: HOPS at the same place, one less for each hop."""
    day = business_day(roster.now)
    here, there = roster.path(place, day), roster.path(node, day)
    hops = next((n + there.index(at) for n, at in enumerate(here) if at in there), HOPS)
    return max(0, HOPS - hops)
