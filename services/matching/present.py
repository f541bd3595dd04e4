"""Whether somebody who was booked still is there for it, and can do it."""

from collections.abc import Sequence

from schemas.days import business_day
from schemas.decisions import Member
from schemas.demand import Demand
from schemas.supply import Equipment, Resource, Span
from services.matching.supply import Supply


def present(supply: Supply, member: Member) -> bool:
    """Whether a booked member is still there, free of its own affairs, and calibrated."""
    resource = supply.find(member.id)
    return (
        resource is not None
        and resource.status == "active"
        and _valid(resource, business_day(member.start))
        and (not resource.calendar or _open(resource.calendar, member))
        and not any(_meets(span, member) for span in resource.busy)
    )


def able(supply: Supply, demand: Demand, number: int, member: Member) -> bool:
    """Whether a booked member still offers what it was booked for; members go by their needs."""
    resource, day = supply.find(member.id), business_day(member.start)
    wish = demand.needs[number] if demand.needs else None
    elements = wish.elements if wish else demand.elements
    if resource is None or not set(elements).issubset(resource.elements):
        return False
    name = wish.qualification if wish else None
    return name is None or any(
        (one.since or day) <= day <= (one.until or day)
        for one in resource.qualifications
        if one.name == name
    )


def _valid(resource: Resource, day: str) -> bool:
    until = resource.calibration_until if isinstance(resource, Equipment) else None
    return (resource.valid_from or day) <= day <= min(resource.valid_to or day, until or day)


def _open(calendar: Sequence[Span], member: Member) -> bool:
    """Whether the calendar is open throughout; spans may follow one another without a gap."""
    at = member.start
    for span in calendar:
        if span.start <= at < span.end:
            at = span.end
    return at >= member.end


def _meets(span: Span, member: Member) -> bool:
    return span.start < member.end and member.start < span.end
