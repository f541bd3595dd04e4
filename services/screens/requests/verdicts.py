"""Verdicts on asks: what matching has answered to each."""

from typing import Any

from schemas.decisions import Moved, Refused
from schemas.lifecycle import legal
from services.screens.channel import write
from services.screens.requests.entries import request_of
from services.screens.writer import Heard


def answered(partition: int, heard: Heard) -> dict[str, Any] | None:
    """Return the row of the ask that a decision answers; None when it answers none."""
    data = heard.event.data
    subject = heard.event.subject
    match data:
        case Moved(ask=str(), content=str()):
            named = data.ask, data.cause, "moved"
            assignment = data.assignment
        case Refused():
            named = subject, data.asked, "refused"
            assignment = data.assignment_id
        case _:
            return None
    ask, kind, verdict = named
    return {
        "id": ask,
        "type": kind,
        "verdict": verdict,
        "content": data.content,
        "request": request_of(subject, data),
        "assignment": assignment,
        "document": write(_document(data)),
        "partition": partition,
        "offset": heard.offset,
    }


def _document(data: Moved | Refused) -> dict[str, Any]:
    detail, may = None, legal(data.state)
    if isinstance(data, Refused):
        detail, may = data.detail, data.legal
    return {
        "cause": data.cause,
        "detail": detail,
        "state": data.state,
        "legal": may,
        "revision": data.revision if isinstance(data, Moved) else None,
    }
