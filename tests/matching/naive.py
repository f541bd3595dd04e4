"""Whether a member may serve a case, written plainly from the rules: minute by minute, no spans."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.days import business_day
from schemas.decisions import Member
from schemas.demand import Demand, Need
from schemas.supply import Agency, Equipment, Expert, Resource
from services.matching.choice import Candidate, Case
from services.matching.diary import Diary
from services.matching.rules import Rules
from services.matching.supply import Supply

Taken = dict[str, list[tuple[datetime, datetime]]]
"""By resource what is booked, in the diary and by a window."""


class Scene(NamedTuple):
    """What a choice is checked against."""

    supply: Supply
    taken: Taken
    now: datetime
    rules: Rules

    @classmethod
    def of(cls, supply: Supply, diary: Diary, now: datetime, rules: Rules) -> "Scene":
        taken = {name: [(b.start, b.end) for b in of] for name, of in diary.booked.items()}
        return cls(supply, taken, now, rules)

    def book(self, candidate: Candidate) -> None:
        for member in candidate.members:
            self.taken.setdefault(member.id, []).append((member.start, member.end))


def broken(case: Case, candidate: Candidate, scene: Scene) -> list[str]:
    """Return every rule that a way to serve a case breaks."""
    demand, members = case.moved.demand, candidate.members
    needs = demand.needs or (Need(elements=demand.elements),)
    found = [*_request(case, scene), *_together(case, candidate, scene)]
    if len(members) != len(needs) or len({m.id for m in members}) != len(members):
        found.append("all or nothing")
    for need, member in zip(needs, members, strict=False):
        resource = scene.supply.of(case.moved.pool).get(member.id)
        if resource is None:
            found.append(f"{member.id} is of no such pool")
            continue
        checks = (
            *_offers(need, resource, member),
            *_may(case, member, resource, scene),
            *_free(member, resource, scene.taken),
            *_today(demand, need, member, resource, scene.supply),
        )
        found += [f"{member.id}: {what}" for what in checks]
    return found


def _request(case: Case, scene: Scene) -> Iterator[str]:
    demand, registry = case.moved.demand, scene.supply.registry
    if demand.consent == "needed" and not demand.consent_ref:
        yield "consent"
    if demand.loan:
        firm = registry.enterprises.get(registry.resolve(case.moved.enterprise_id))
        giant = firm and any(c.category == "little_giant" for c in firm.categories)
        if demand.loan.amount > scene.rules.loan_caps[0 if giant else 2]:
            yield "loan"
        if not demand.loan.ground:
            yield "ground"


def _together(case: Case, candidate: Candidate, scene: Scene) -> Iterator[str]:
    demand, now, fees = case.moved.demand, scene.now, 0
    for member in candidate.members:
        resource = scene.supply.find(member.id)
        fees += (resource.fee or 0) if isinstance(resource, Agency) else 0
        if member.start < max(now, demand.not_before or now):
            yield "too early"
        if member.end > (demand.need_by or now + scene.rules.horizon):
            yield "too late"
        if member.end - member.start != timedelta(minutes=demand.minutes):
            yield "too short"
        if member.start != candidate.members[0].start:
            yield "not together"
    if demand.budget is not None and fees > demand.budget:
        yield "fees"


def _offers(need: Need, resource: Resource, member: Member) -> Iterator[str]:
    if member.kind not in need.kinds:
        yield "kind"
    if any(element not in resource.elements for element in need.elements):
        yield "element"
    if need.specialty and need.specialty not in resource.specialties:
        yield "specialty"
    if need.industry and need.industry not in resource.industries:
        yield "industry"
    if need.power and not (isinstance(resource, Agency) and need.power in resource.powers):
        yield "power"


def _may(case: Case, member: Member, resource: Resource, scene: Scene) -> Iterator[str]:
    resolve, moved = scene.supply.registry.resolve, case.moved
    against = {resolve(one) for one in (*moved.demand.conflicts, moved.enterprise_id)}
    if any(resolve(body) in against for body in _bodies(member, resource) if body):
        yield "conflict"
    if member.id in moved.excluded:
        yield "declined before"
    if moved.kind == "referral" and not resource.shared:
        yield "not shared"
    if resource.status != "active":
        yield "not active"
    grades = resource.grades if isinstance(resource, Agency) else ()
    if scene.rules.exclude_failed and any(one.grade == "fail" for one in grades):
        yield "failed"


def _bodies(member: Member, resource: Resource) -> set[str | None]:
    if isinstance(resource, Expert):
        return {resource.employer}
    if isinstance(resource, Agency):
        return {resource.body, member.id.split(".", 1)[1]}
    return {resource.owner} if isinstance(resource, Equipment) else set()


def _free(member: Member, resource: Resource, taken: Taken) -> Iterator[str]:
    mine = taken.get(member.id, [])
    if resource.cap is not None and len(mine) + 1 > resource.cap:
        yield "cap"
    for minute in _minutes(member):
        if resource.calendar and not any(s.start <= minute < s.end for s in resource.calendar):
            yield "calendar"
        if any(s.start <= minute < s.end for s in resource.busy):
            yield "busy"
        if sum(a <= minute < b for a, b in mine) + 1 > resource.capacity:
            yield "booked"


def _today(
    demand: Demand, need: Need, member: Member, resource: Resource, supply: Supply
) -> Iterator[str]:
    for today in {business_day(minute) for minute in _minutes(member)}:
        if not (resource.valid_from or today) <= today <= (resource.valid_to or today):
            yield "validity"
        if need.qualification and not any(
            q.name == need.qualification and (q.since or today) <= today <= (q.until or today)
            for q in resource.qualifications
        ):
            yield "qualification"
        if isinstance(resource, Equipment) and today > (resource.calibration_until or today):
            yield "calibration"
        places: Iterable[str] = (*resource.resident_at, *filter(None, [resource.place]))
        if demand.within and not any(
            demand.within in supply.registry.path(place, today) for place in places
        ):
            yield "within"


def _minutes(member: Member) -> Iterator[datetime]:
    at = member.start
    while at < member.end:
        yield at
        at += timedelta(minutes=5)
