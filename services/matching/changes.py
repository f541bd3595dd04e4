"""The changes that could let a case be served, the smallest kind first.

A conflict, a power that the law demands, and whether somebody is there are never up for change.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.decisions import Reason, Relaxation
from schemas.supply import Resource
from services.matching.loan import ceiling
from services.matching.reasons import Failing
from services.matching.roster import Roster
from services.matching.times import HIGH, instant, moment
from services.matching.wanted import Wanted

LAST = "2099-12-31"


class Change(NamedTuple):
    """A change as far as it can go, and the reason it might lift, for one need or resource.

    `need` and `resource` are None where it is for all.
    """

    relaxation: Relaxation
    reason: Reason
    need: int | None = None
    resource: str | None = None

    def lifts(self, need: int, resource: str) -> bool:
        """Whether it is about this resource as the member for this need."""
        return self.need in {None, need} and self.resource in {None, resource}


def changes(wanted: Wanted, by: Sequence[Failing], roster: Roster) -> list[Change]:
    """Return all changes worth trying; `by` says who fails each need, and by what."""
    return [
        *_times(wanted, roster),
        *_wishes(wanted),
        *_money(wanted, roster),
        *_papers(wanted, by),
    ]


def fewer(wanted: Wanted, by: Sequence[Failing]) -> Iterator[Change]:
    """Yield what could be asked for instead of all elements, the most first."""
    for n, failed in enumerate(by):
        wish = wanted.needs[n]
        offered = {
            tuple(e for e in wish.elements if e in one.resource.elements) for one, _ in failed
        }
        field = f"needs.{n}.elements" if wanted.demand.needs else "elements"
        for some in sorted(offered - {wish.elements, ()}, key=lambda s: (-len(s), s)):
            yield _change("element_not_offered", field, list(some), need=n)


def _change(
    reason: Reason, field: str, to: object, *, need: int | None = None, resource: str | None = None
) -> Change:
    text = json.dumps(to, ensure_ascii=False)
    return Change(Relaxation(field=field, to=text, resource=resource), reason, need, resource)


def _times(wanted: Wanted, roster: Roster) -> Iterator[Change]:
    demand = wanted.demand
    if demand.not_before is None or instant(demand.not_before) < HIGH:
        yield _change("no_slot_in_time", "need_by", moment(HIGH).isoformat())
    if demand.not_before and instant(demand.not_before) > instant(roster.now):
        yield _change("no_slot_in_time", "not_before", None)


def _wishes(wanted: Wanted) -> Iterator[Change]:
    for n, need in enumerate(wanted.demand.needs):
        if need.industry:
            yield _change("no_industry", f"needs.{n}.industry", None, need=n)
        if need.specialty:
            yield _change("no_specialty", f"needs.{n}.specialty", None, need=n)
    if wanted.demand.within:
        yield _change("element_not_offered", "within", None)


def _money(wanted: Wanted, roster: Roster) -> Iterator[Change]:
    demand, moved = wanted.demand, wanted.case.moved
    if demand.budget is not None:
        yield _change("fee_not_agreed", "budget", None)
    if demand.loan:
        most = ceiling(moved.enterprise_id, roster.supply, roster.now, roster.rules)
        if demand.loan.amount > most > 0:
            yield _change("ineligible", "loan.amount", most)
        if demand.loan.ground is None:
            yield _change("ineligible", "loan.ground", "certificate")
    if "consent_missing" in wanted.flaws:
        yield _change("consent_missing", "consent_ref", "given")


def _papers(wanted: Wanted, by: Sequence[Failing]) -> Iterator[Change]:
    """Yield what could be renewed, at those who lack the least first."""
    for n, failed in enumerate(by):
        for entry, why in sorted(failed, key=lambda one: (len(one[1]), one[0].id)):
            resource, name = entry.resource, wanted.needs[n].qualification
            if "equipment_unavailable" in why and resource.status == "active":
                yield _change(
                    "equipment_unavailable", "calibration_until", LAST, resource=entry.id
                )  # fmt: skip
            if name and "qualification_expired" in why and _held(resource, name):
                to = renewed(resource, name, LAST)
                yield _change("qualification_expired", "qualifications", to, resource=entry.id)


def _held(resource: Resource, name: str) -> bool:
    return any(one.name == name for one in resource.qualifications)


def renewed(resource: Resource, name: str, until: str) -> list[dict[str, str | None]]:
    """Return the qualifications of a resource when the last one of a name holds until a day."""
    found = [one.model_dump(mode="json", by_alias=True) for one in resource.qualifications]
    last = max(
        (n for n, one in enumerate(found) if one["name"] == name),
        key=lambda n: found[n]["to"] or LAST,
    )
    found[last]["to"] = until
    return found
