"""What would help a case that nobody can serve: the fewest changes, each as small as it can be."""

import json
from collections.abc import Iterable, Sequence
from itertools import chain, combinations

from schemas.days import business_day
from schemas.decisions import FEW, Relaxation
from schemas.fields import RICHEST
from services.matching.bundle import cheapest, gathered, price, teams
from services.matching.changes import Change, changes, fewer, renewed
from services.matching.ranking import ranked
from services.matching.reasons import Failing, failing
from services.matching.relax import relaxed
from services.matching.roster import Roster
from services.matching.times import moment
from services.matching.wanted import Wanted, wanted

Relief = tuple[tuple[Relaxation, ...], tuple[str, ...]]
Scene = tuple[Wanted, Roster]


def relief(want: Wanted, roster: Roster) -> Relief:
    """Return the smallest relaxation, and who would fit then; both empty when nothing helps."""
    by = [failing(want, need, roster) for need in range(len(want.needs))]
    known, less = changes(want, by, roster), list(fewer(want, by))
    if not _lifted([*known, *less], by):  # then no two of them help, of however many there are
        return (), ()
    singles, last = ((one,) for one in known), ((one,) for one in less)
    for few in chain(singles, combinations(known, 2), last):
        if _promising(few, by) and (found := _tried(few, want, roster)):
            return found
    return (), ()


def _promising(few: Sequence[Change], by: Sequence[Failing]) -> bool:
    """Whether changes of different things might help together."""
    return len({(c.relaxation.field, c.resource) for c in few}) == len(few) and _lifted(few, by)


def _lifted(few: Sequence[Change], by: Sequence[Failing]) -> bool:
    """Whether somebody is left for each need when all that the changes might lift is lifted."""
    return all(
        any(
            all(any(c.reason == why and c.lifts(need, e.id) for c in few) for why in failed)
            for e, failed in one
        )
        for need, one in enumerate(by)
    )


def _tried(few: Sequence[Change], want: Wanted, roster: Roster) -> Relief | None:
    """Return the changes as small as they help, and who fits then; None when they do not help."""
    if not ranked(*_scene([c.relaxation for c in few], want, roster), 1):
        return None
    made = [change.relaxation for change in few]
    for n in sorted(range(len(made)), key=lambda n: made[n].field == "need_by"):
        smaller = _least(made[n], _scene(made, want, roster))
        attempt = [*made[:n], smaller, *made[n + 1 :]]
        if ranked(*_scene(attempt, want, roster), 1):
            made = attempt
    fitting = ranked(*_scene(made, want, roster), roster.rules.candidates)
    ids = dict.fromkeys(name for one in fitting for name in one.ids)
    return tuple(made), tuple(ids)[:FEW]


def _scene(made: Iterable[Relaxation], want: Wanted, roster: Roster) -> Scene:
    case, supply = relaxed(want.case, tuple(made), roster.supply)
    over = roster if supply is roster.supply else roster.over(supply)
    return wanted(case, supply, roster.now, roster.rules), over


def _least(change: Relaxation, scene: Scene) -> Relaxation:
    """Return a change that is just enough, where it has a measure; otherwise as it is."""
    want, roster = scene
    if change.field == "budget":
        prices = (price(t) for _, pools in gathered(*scene) if (t := cheapest(pools)) is not None)
        least = min(prices)
        return change.model_copy(update={"to": json.dumps(least if least <= RICHEST else None)})
    if change.field == "need_by":
        return _sooner(change, scene)
    end = next(teams(*scene)).start + want.length
    day = business_day(moment(end - 1))
    if change.field == "calibration_until":
        return change.model_copy(update={"to": json.dumps(day)})
    if change.field == "qualifications" and change.resource is not None:
        return _renewed(change, day, roster, want)
    return change


def _sooner(change: Relaxation, scene: Scene) -> Relaxation:
    """Return the earliest end; it may be too soon for the notice that people get otherwise."""
    want, roster = scene

    def by(end: int) -> Relaxation:
        return change.model_copy(update={"to": json.dumps(moment(end).isoformat())})

    at_once = _scene([by(want.window[0] + want.length - 1)], want, roster)
    found = next(chain(teams(*at_once), teams(*scene)))
    return by(found.start + want.length)


def _renewed(change: Relaxation, day: str, roster: Roster, want: Wanted) -> Relaxation:
    resource = roster.supply.find(change.resource or "")
    names = [need.qualification for need in want.needs if need.qualification]
    held = {one.name for one in resource.qualifications} if resource else set()
    name = next((n for n in names if n in held), None)
    if resource is None or name is None:
        return change
    to = renewed(resource, name, day)
    return change.model_copy(update={"to": json.dumps(to, ensure_ascii=False)})
