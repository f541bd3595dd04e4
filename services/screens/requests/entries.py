"""What a timeline shows of an event: small, and the same for ever."""

from typing import Any

from pydantic import BaseModel

from schemas.asks import RequestSubmitted
from schemas.decisions import Escalated, Moved, Offer, Refused, Unmatched
from schemas.types import PREFIX
from services.screens.channel import write
from services.screens.requests.stand import milliseconds
from services.screens.stamps import stamped
from services.screens.writer import Heard

_SUBMITTED = "request.submitted"
_SHOWN = ("note", "reason", "score", "place", "resource", "due_at", "enterprise_id")


def entry(topic: str, partition: int, heard: Heard) -> dict[str, Any]:
    """Return the row of an event in the table of the same name."""
    event = heard.event
    return {
        "topic": topic,
        "partition": partition,
        "offset": heard.offset,
        "logged": heard.logged,
        "type": event.kind.name.removeprefix(PREFIX),
        "subject": event.subject,
        "content": event.content,
        "request": request_of(event.subject, event.data),
        "assignment": assignment_of(event.subject, event.data),
        "node": event.data.node_id,
        "document": write(_small(event.data)),
    }


def request_of(subject: str, data: BaseModel) -> str | None:
    """Return the request that an event is about, if it says so; one refused was never there."""
    submitted = isinstance(data, Refused) and data.asked == _SUBMITTED
    named = submitted or isinstance(data, RequestSubmitted | Moved)
    return subject if named else getattr(data, "request_id", None)


def assignment_of(subject: str, data: BaseModel) -> str | None:
    """Return the assignment that an event is about, if it is about one."""
    if isinstance(data, Moved):
        return None
    return subject if isinstance(data, Offer) else getattr(data, "assignment_id", None)


def _small(data: Any) -> dict[str, Any]:  # noqa: ANN401  # any model of an ask or a decision
    occurred = stamped(milliseconds(data.occurred_at))
    return {"revision": data.revision, "occurred_at": occurred} | _told(data)


def _told(data: Any) -> dict[str, Any]:  # noqa: ANN401  # likewise
    match data:
        case Moved():
            own = _some(data, "before", "state", "cause", "by", "note", "ask", "assignment")
            return own | {"reasons": data.reasons}
        case Refused():
            own = _some(data, "state", "cause", "asked", "legal")
            return own | {"by": data.actor_role, "note": data.detail}
        case Offer():
            members = [_some(member, "kind", "id", "answer") for member in data.members]
            told = {"cause": data.outcome, "note": data.reason, "member": data.member}
            return told | {"by": data.actor_role, "members": members}
        case Unmatched():
            return {"by": data.actor_role, "reasons": data.reasons}
        case Escalated():
            own = _some(data, "child", "to_pool", "level")
            return own | {"by": data.actor_role, "note": data.reason}
    return _asked(data)


def _some(data: object, *names: str) -> dict[str, Any]:
    return {name: getattr(data, name) for name in names}


def _asked(data: Any) -> dict[str, Any]:  # noqa: ANN401  # any ask
    """Return what is shown of an ask that nobody has judged yet."""
    stated: dict[str, Any] = data.model_dump(mode="json", include=set(_SHOWN), exclude_none=True)
    note = stated.pop("note", None) or stated.get("reason")
    return stated | {"by": data.actor_role, "note": note, "pending": True}
