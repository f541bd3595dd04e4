"""Offers: made, answered, expired, released."""

from datetime import datetime, timedelta
from typing import Any

from schemas.asks import OfferAccepted, OfferDeclined
from schemas.codec import Event
from schemas.decisions import Member, Moved, Offer, Outcome
from schemas.lifecycle import PERFORMER
from schemas.pools import owner
from services.matching import referring
from services.matching.choice import Choice
from services.matching.sitting import Sitting, assignment, excluding, named, verdict
from services.matching.times import bounded

HASTE = timedelta(minutes=15)
"""What is to begin at once may still be answered for so long."""


def offer(sitting: Sitting, request: str, choice: Choice) -> None:
    """Reserve all members of a choice, and ask those who must answer."""
    case = sitting.book.cases[request]
    members = tuple(_asked(member) for member in choice.candidate.members)
    settled = all(member.answer for member in members)
    expires = _expiry(sitting, case, members)
    number = case.offers + 1
    made = Offer(
        **sitting.signed(case.pool, 1, case.node_id),
        request_id=request,
        enterprise_id=case.enterprise_id,
        kind=case.kind,
        outcome="committed" if settled else "offered",
        elements=case.demand.elements,
        mode=case.demand.mode,
        members=members,
        parts=choice.candidate.parts,
        score=choice.candidate.score,
        alternatives=choice.alternatives,
        passed=choice.passed,
        offered_at=sitting.now,
        expires_at=expires,
    )
    which = assignment(case, request, number)
    sitting.say(f"match.{made.outcome}", which, made)
    sitting.move(
        request,
        "committed" if settled else "offered",
        "matched",
        offers=number,
        assignment=which,
        performers=_performers(members) if settled else (),
        reasons=(),
        wake_at=None if settled else expires,
    )
    if settled:
        referring.tell(sitting, request)


def _asked(member: Member) -> Member:
    """Return a member as it is offered: equipment has nobody to answer for it."""
    answer = "accepted" if member.kind == "equipment" else None
    return member.model_copy(update={"answer": answer})


def _expiry(sitting: Sitting, case: Moved, members: tuple[Member, ...]) -> datetime:
    """Return until when an offer waits: no longer than until the work is to begin, or is due."""
    begins = max(members[0].start, sitting.now + HASTE)
    latest = bounded(min(sitting.now + sitting.rules.offer_for, begins))
    return min(latest, max(case.demand.need_by, sitting.now)) if case.demand.need_by else latest


def _performers(members: tuple[Member, ...]) -> tuple[str, ...]:
    return tuple(member.id for member in members if member.kind != "equipment")


def answer(sitting: Sitting, event: Event) -> None:
    """Answer a member's yes or no."""
    ask: OfferAccepted | OfferDeclined = event.data
    which = ask.assignment_id
    standing = sitting.book.offers.get(which)
    if standing is None or owner(event.subject) != standing.pool:
        _gone(sitting, event, which)
    elif ask.actor_role not in PERFORMER:
        detail = "only the experts and agencies that are asked may answer"
        sitting.refuse(event, "role", detail, standing.request_id)
    elif (member := _member(standing, ask.resource)) is None:
        detail = "say which member of the assignment answers, in `resource`"
        sitting.refuse(event, "not_yours", detail, standing.request_id)
    elif isinstance(ask, OfferAccepted):
        _accept(sitting, event, standing, member)
    else:
        _decline(sitting, event, standing, member)


def _gone(sitting: Sitting, event: Event, which: str) -> None:
    ended = sitting.book.ended.get(which)
    if ended is None:
        sitting.refuse(event, "unknown_offer", f"there is no offer {which} in this pool")
    else:
        detail = f"the offer is over: it was {ended.outcome}"
        sitting.refuse(event, "over", detail, ended.request)


def _member(standing: Offer, resource: str | None) -> Member | None:
    """Return who answers: the one named, or the only one that is asked."""
    asked = [m for m in standing.members if m.kind != "equipment"]
    if resource is None:
        return asked[0] if len(asked) == 1 else None
    return next((m for m in asked if m.id == resource), None)


def _accept(sitting: Sitting, event: Event, standing: Offer, member: Member) -> None:
    ask: OfferAccepted = event.data
    request = standing.request_id
    if standing.outcome != "offered" or member.answer is not None:
        sitting.refuse(event, "state", f"{member.id} has accepted already", request)
        return
    yes = member.model_copy(update={"answer": "accepted"})
    members = tuple(yes if m.id == member.id else m for m in standing.members)
    settled = all(m.answer for m in members)
    outcome: Outcome = "committed" if settled else "offered"
    sitting.settle(ask.assignment_id, outcome, members=members, member=member.id)
    changes = verdict(event)
    if settled:
        sitting.move(request, "committed", named(event), performers=_performers(members), **changes)
        referring.tell(sitting, request)
    else:
        wake = sitting.book.cases[request].wake_at
        sitting.move(request, "offered", named(event), wake_at=wake, **changes)


def _decline(sitting: Sitting, event: Event, standing: Offer, member: Member) -> None:
    ask: OfferDeclined = event.data
    request = standing.request_id
    case = sitting.book.cases[request]
    if case.state not in {"offered", "committed"}:
        detail = f"the request is {case.state}: the work has begun"
        sitting.refuse(event, "state", detail, request)
        return
    outcome: Outcome = "declined" if case.state == "offered" else "released"
    no = member.model_copy(update={"answer": "declined"})
    members = tuple(no if m.id == member.id else m for m in standing.members)
    sitting.settle(ask.assignment_id, outcome, members=members, member=member.id, reason=ask.reason)
    back(sitting, request, named(event), [member.id], note=ask.reason, **verdict(event))


def expire(sitting: Sitting, request: str) -> None:
    """End an offer that was not answered in time; who did not answer is not asked again."""
    which = sitting.book.cases[request].assignment
    assert which is not None
    standing = sitting.book.offers.get(which)
    if standing is None:  # it was made by a newer version, and could not be read here
        back(sitting, request, "expired", [])
        return
    silent = [m.id for m in standing.members if m.answer is None]
    sitting.settle(which, "expired", reason="not answered in time")
    back(sitting, request, "expired", silent)


def release(sitting: Sitting, which: str, member: str) -> None:
    """End an assignment whose member has gone; nobody is to blame, all may be asked again."""
    standing = sitting.book.offers[which]
    sitting.settle(which, "released", member=member, reason=f"{member} is not available any more")
    back(sitting, standing.request_id, "released", [])


def back(
    sitting: Sitting,
    request: str,
    cause: str,
    vain: list[str],
    **changes: Any,  # noqa: ANN401  # of the move
) -> None:
    """Let a request wait for the next round, without its assignment."""
    case = sitting.book.cases[request]
    held = case.state == "committed"
    sitting.move(
        request,
        "matching",
        cause,
        assignment=None,
        performers=(),
        excluded=excluding(case, vain),
        **changes,
    )
    if held:
        referring.tell(sitting, request)
