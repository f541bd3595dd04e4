"""What becomes of an ask: the table says whether it is legal, and if not, what would be."""

from schemas.asks import Moving, RequestSubmitted
from schemas.codec import Event
from schemas.decisions import Moved
from schemas.lifecycle import PERFORMER, STAFF, legal, row
from schemas.pools import misnamed, owner
from services.matching import offering
from services.matching.acting import act, queue
from services.matching.sitting import Sitting, ends, named, verdict
from services.matching.times import bounded

MOVES = 900_000
"""After so many moves a request can only be ended; the other revisions are for matching itself."""


def hear(sitting: Sitting, event: Event) -> None:
    """Answer an ask with one verdict; what was answered before is a repeat, and not heard."""
    if (named(event), event.subject) in sitting.book.answered:
        return
    match event.data:
        case RequestSubmitted():
            _submit(sitting, event)
        case Moving():
            _move(sitting, event)
        case _:
            offering.answer(sitting, event)


def _submit(sitting: Sitting, event: Event) -> None:
    ask: RequestSubmitted = event.data
    lawful = row("request.submitted", None)
    if event.subject in sitting.book.cases:
        sitting.refuse(event, "state", "a request of this id is there already", event.subject)
    elif (flaw := misnamed(event.subject)) is not None:
        sitting.refuse(event, "id", flaw)
    elif lawful is None or ask.actor_role not in lawful.by:
        sitting.refuse(event, "role", f"{ask.actor_role} may not submit requests")
    else:
        _enter(sitting, event, ask)


def _enter(sitting: Sitting, event: Event, ask: RequestSubmitted) -> None:
    submitted = min(ask.occurred_at, sitting.now)
    moved = Moved(
        **sitting.signed(owner(event.subject), 1, ask.node_id),
        **verdict(event),
        enterprise_id=ask.enterprise_id,
        kind="request",
        demand=ask.demand,
        visit_id=ask.visit_id,
        before=None,
        state="submitted",
        cause="request.submitted",
        submitted_at=submitted,
        since=submitted,
    )
    sitting.say("request.moved", event.subject, moved)
    if ask.actor_role in STAFF:
        sitting.move(
            event.subject,
            "accepted",
            "own_desk",
            first_response_at=submitted,
            due_at=bounded(submitted + sitting.rules.due_after),
        )
        queue(sitting, event.subject)


def _move(sitting: Sitting, event: Event) -> None:
    ask: Moving = event.data
    request = ask.request_id
    case = sitting.book.cases.get(request)
    if case is None or owner(event.subject) != case.pool:
        sitting.refuse(event, "unknown_request", f"there is no request {request} in this pool")
        return
    if case.kind == "referral":
        sitting.refuse(event, "referral", f"ask about {_home(case)}, which it stands for", request)
        return
    lawful = row(named(event), case.state)
    if lawful is None:
        may = ", ".join(legal(case.state, [ask.actor_role])) or "nothing"
        detail = f"the request is {case.state}; legal now for {ask.actor_role}: {may}"
        sitting.refuse(event, "state", detail, request)
    elif ask.actor_role not in lawful.by:
        who = ", ".join(sorted(lawful.by))
        sitting.refuse(event, "role", f"{ask.actor_role} may not; {who} may", request)
    elif ask.actor_role in PERFORMER and ask.resource not in case.performers:
        sitting.refuse(event, "not_yours", "only who performs the service may", request)
    elif case.revision >= MOVES and not ends(named(event), case.state):
        detail = f"the request has moved {case.revision} times: it can only be ended"
        sitting.refuse(event, "moves", detail, request)
    else:
        act(sitting, event, case)


def _home(case: Moved) -> str:
    return case.home.request_id if case.home else "the request"
