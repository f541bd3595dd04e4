"""What legal asks do to a request beyond what the table says: one function each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from schemas.codec import Event
from schemas.decisions import Moved
from schemas.fields import MOST
from schemas.lifecycle import row
from services.matching import referring
from services.matching.sitting import Sitting, named, verdict
from services.matching.times import bounded

if TYPE_CHECKING:
    from schemas.asks import Moving, RequestAccepted, RequestEvaluated, ServiceBlocked

Changes = dict[str, Any]


def act(sitting: Sitting, event: Event, case: Moved) -> None:
    """Do what an ask, found legal, asks for."""
    _DO.get(named(event), _plainly)(sitting, event, case)


def queue(sitting: Sitting, request: str) -> None:
    """Let a case wait for the next round, but for walk-ins whom staff serve over the counter."""
    demand = sitting.book.cases[request].demand
    if (demand.channel, demand.mode) != ("walk_in", "consultation"):
        sitting.move(request, "matching", "queued")


def _then(sitting: Sitting, event: Event, case: Moved) -> datetime:
    """Return when an ask took effect: as it states, but not before the state began, nor later."""
    stated: datetime = event.data.occurred_at
    return min(max(stated, case.since), sitting.now)


def _plainly(sitting: Sitting, event: Event, case: Moved, **changes: Any) -> None:  # noqa: ANN401
    """Move as the table says, and nothing else."""
    ask: Moving = event.data
    lawful = row(named(event), case.state)
    assert lawful is not None
    to = lawful.to or case.state
    since = case.since if lawful.to is None else _then(sitting, event, case)
    standing = verdict(event) | {
        "since": since,
        "note": getattr(ask, "reason", None) or getattr(ask, "note", None),
        "wake_at": case.wake_at if lawful.to is None else None,
    }
    sitting.move(ask.request_id, to, named(event), **(standing | changes))


def _respond(sitting: Sitting, event: Event, case: Moved) -> Changes:
    return {"first_response_at": case.first_response_at or _then(sitting, event, case)}


def _accept(sitting: Sitting, event: Event, case: Moved) -> None:
    ask: RequestAccepted = event.data
    due = ask.due_at or bounded(case.since + sitting.rules.due_after)
    _plainly(sitting, event, case, **_respond(sitting, event, case), due_at=due)
    queue(sitting, ask.request_id)


def _return(sitting: Sitting, event: Event, case: Moved) -> None:
    _plainly(sitting, event, case, **_respond(sitting, event, case), outcome="withdrawn")


def _start(sitting: Sitting, event: Event, case: Moved) -> None:
    own = {} if case.assignment else {"reasons": ()}
    referring.begin(sitting, event.data.request_id, case)
    _plainly(sitting, event, case, **_respond(sitting, event, case), **own)


def _block(sitting: Sitting, event: Event, case: Moved) -> None:
    ask: ServiceBlocked = event.data
    _plainly(sitting, event, case, blocked_reason=ask.reason)


def _unblocked(case: Moved, then: datetime) -> Changes:
    """Close a block: its time counts, and the clock that stood still goes on."""
    if case.state != "blocked":
        return {}
    lasted = then - case.since
    return {
        "blocked_seconds": min(case.blocked_seconds + lasted // timedelta(seconds=1), MOST),
        "blocked_reason": None,
        "due_at": case.due_at and bounded(case.due_at + lasted),
    }


def _unblock(sitting: Sitting, event: Event, case: Moved) -> None:
    _plainly(sitting, event, case, **_unblocked(case, _then(sitting, event, case)))


def _result(sitting: Sitting, event: Event, case: Moved) -> None:
    referring.end(sitting, event.data.request_id, case, "done")
    served = case.served_at or _then(sitting, event, case)
    _plainly(sitting, event, case, served_at=served, child=None)


def _evaluate(sitting: Sitting, event: Event, case: Moved) -> None:
    ask: RequestEvaluated = event.data
    _plainly(sitting, event, case, score=ask.score)


def _escalate(sitting: Sitting, event: Event, case: Moved) -> None:
    ask: Moving = event.data
    above = referring.next_pool(sitting, case)
    if above is None:
        sitting.refuse(event, "no_tier_above", "there is no pool above to ask", ask.request_id)
        return
    changes = verdict(event) | {"cause": named(event)}
    referring.escalate(sitting, ask.request_id, case, above, **changes)


def _close(sitting: Sitting, event: Event, case: Moved) -> None:
    referring.end(sitting, event.data.request_id, case, "withdrawn")
    unmet = case.state in {"unmatched", "escalated"}
    _plainly(sitting, event, case, outcome="unmet" if unmet else "done", child=None)


def _cancel(sitting: Sitting, event: Event, case: Moved) -> None:
    own = sitting.book.living(event.data.request_id, case)
    if own is not None:
        sitting.settle(own, "released", reason="the request was cancelled")
    referring.end(sitting, event.data.request_id, case, "withdrawn")
    closed = _unblocked(case, _then(sitting, event, case))
    _plainly(sitting, event, case, outcome="withdrawn", reasons=(), child=None, **closed)


def _reopen(sitting: Sitting, event: Event, case: Moved) -> None:
    """Begin anew; when its time is over, it gets as much as a new case gets."""
    demand = case.demand
    if sitting.until(case) <= sitting.now:
        begins = max(sitting.now, demand.not_before or sitting.now)
        until = bounded(begins + sitting.rules.patience)
        if demand.not_before and until <= demand.not_before:
            detail = "there is no time left after the one before which it must not begin"
            sitting.refuse(event, "no_time", detail, event.data.request_id)
            return
        demand = demand.model_copy(update={"need_by": until})
    _plainly(
        sitting, event, case, outcome=None, assignment=None, performers=(), excluded=(),
        reasons=(), child=None, child_pool=None, served_at=None, due_at=None, demand=demand,
    )  # fmt: skip


_DO: dict[str, Callable[[Sitting, Event, Moved], None]] = {
    "request.accepted": _accept,
    "request.returned": _return,
    "service.started": _start,
    "service.blocked": _block,
    "service.unblocked": _unblock,
    "request.result_recorded": _result,
    "request.evaluated": _evaluate,
    "escalation.requested": _escalate,
    "request.closed": _close,
    "request.cancelled": _cancel,
    "request.reopened": _reopen,
}
"""What asks do beyond moving the request."""
