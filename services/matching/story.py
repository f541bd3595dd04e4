"""The story of a request: every decision about it, in words for people."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from schemas.codec import Event
from schemas.days import SHANGHAI
from schemas.decisions import Escalated, Moved, Offer, Passed, Refused, Unmatched

CHILDREN = 9
"""Referrals of a request, `<request>.1` to `.9`, belong to its story."""


def about(request: str, event: Event) -> bool:
    """Whether a decision is about a request, or about a referral that stands for it."""
    ids = {request, *(f"{request}.{level}" for level in range(1, CHILDREN + 1))}
    return event.subject in ids or getattr(event.data, "request_id", None) in ids


def told(events: Iterable[Event]) -> Iterator[str]:
    """Tell decisions in their order: a line for each, indented ones for the reasons."""
    for event in events:
        data: Any = event.data
        yield f"{_time(data.occurred_at)}  {data.pool:<16} {_line(event.subject, data)}"
        for reason in _reasons(data):
            yield f"{'':>21}{reason}"


def _line(subject: str, data: object) -> str:
    match data:
        case Moved():
            came = f"{data.before} → " if data.before else ""
            asked = f", by {data.by}" + (f" ({data.ask})" if data.ask != subject else "")
            by = asked if data.ask else ""
            return f"{subject} r{data.revision}: {came}{data.state}, {data.cause}{by}"
        case Refused():
            state = f", for the request is {data.state}" if data.state else ""
            return f"{data.asked} ({subject}) refused{state}: {data.detail}"
        case Offer():
            return f"{subject} r{data.revision}: {data.outcome}, score {data.score}"
        case Unmatched():
            return f"nobody can serve {data.request_id}: {_listed(data.reasons)}"
        case Escalated():
            return f"{data.to_pool} is asked, as {data.child}: {data.reason}"
    return subject


def _reasons(data: object) -> Iterator[str]:
    match data:
        case Moved() if data.note:
            yield f"note: {data.note}"
        case Refused() if data.legal:
            yield f"legal now: {_listed(data.legal)}"
        case Offer():
            yield from _offered(data)
        case Unmatched():
            yield from _passed(data.passed)
            for one in data.relaxation:
                of = f" of {one.resource}" if one.resource else ""
                yield f"would help: {one.field}{of} = {one.to}"
            if data.would_fit:
                yield f"would fit then: {_listed(data.would_fit)}"


def _offered(offer: Offer) -> Iterator[str]:
    if offer.reason:
        yield f"because: {offer.reason}"
    for member in offer.members:
        answer = f", {member.answer}" if member.answer else ""
        span = f"{_time(member.start)} to {_time(member.end)}"
        yield f"{member.kind} {member.id}, {span}{answer}"
    if offer.revision > 1:
        return
    if offer.parts:
        yield "why: " + ", ".join(f"{part.name} {part.points:+}" for part in offer.parts)
    for other in offer.alternatives:
        yield f"or: {_listed(other.members)}, score {other.score}"
    yield from _passed(offer.passed)


def _passed(passed: Iterable[Passed]) -> Iterator[str]:
    for one in passed:
        yield f"passed over: {one.id}, {one.reason}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _time(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
