"""Between pools: a home pool that cannot serve asks the pool above, under a child's id.

Home alone decides about the request, the pool that was asked alone about the child; each tells the
other by an event. Whoever is told twice, or too late, changes nothing.
"""

from typing import Any, Literal

from schemas.codec import Event
from schemas.decisions import Escalated, Moved, Origin, State
from schemas.lifecycle import ENDED
from schemas.referral import ReferralAnswered, ReferralAsked, ReferralBegun, ReferralEnded
from services.matching.choice import Nobody
from services.matching.sitting import Sitting

Told = Literal["committed", "unmet", "released"]
_TOLD: dict[State, Told] = {"committed": "committed", "closed": "unmet"}
HIGHEST = 9
"""The most referrals that one request may make."""


def hear(sitting: Sitting, event: Event) -> None:
    """Take in what another pool says."""
    match event.data:
        case ReferralAsked():
            _asked(sitting, event.subject, event.data)
        case ReferralAnswered():
            _answered(sitting, event.subject, event.data)
        case ReferralBegun():
            _begun(sitting, event.subject)
        case ReferralEnded():
            _ended(sitting, event.subject, event.data)


def next_pool(sitting: Sitting, case: Moved) -> str | None:
    """Return the pool that a request would be referred to next; None: there is none."""
    if case.kind == "referral" or case.level >= HIGHEST:
        return None
    return sitting.supply.above(case.child_pool or case.pool, sitting.now)


def escalate(
    sitting: Sitting,
    request: str,
    case: Moved,
    to: str,
    **changes: Any,  # noqa: ANN401  # of the move
) -> None:
    """Ask the pool `to` for a request of ours."""
    level = case.level + 1
    child = f"{request}.{level}"
    reason = ", ".join(changes.get("reasons", case.reasons)) or "asked for"
    sitting.say(
        "request.escalated",
        request,
        Escalated(
            **sitting.signed(case.pool, case.revision + 1, case.node_id),
            request_id=request,
            child=child,
            from_pool=case.pool,
            to_pool=to,
            level=level,
            reason=reason,
        ),
    )
    standing: dict[str, Any] = {
        "cause": "delay",
        "level": level,
        "child": child,
        "child_pool": to,
        "escalations": case.escalations + 1,
        "wake_at": sitting.until(case),
    }
    sitting.move(request, "escalated", **(standing | changes))
    sitting.say(
        "referral.asked",
        child,
        ReferralAsked(
            **_letter(sitting, case, to, 1),
            request_id=request,
            level=level,
            enterprise_id=case.enterprise_id,
            demand=case.demand,
            submitted_at=case.submitted_at,
            excluded=case.excluded,
        ),
    )


def begin(sitting: Sitting, request: str, case: Moved) -> None:
    """Tell the pool that was asked that the work of its child has begun."""
    if case.child is not None and case.child_pool is not None:
        letter = _letter(sitting, case, case.child_pool, 1)
        begun = ReferralBegun(**letter, request_id=request, level=case.level)
        sitting.say("referral.begun", case.child, begun)


def end(sitting: Sitting, request: str, case: Moved, outcome: Literal["done", "withdrawn"]) -> None:
    """Tell the pool that was asked that its child is needed no more."""
    if case.child is not None and case.child_pool is not None:
        letter = _letter(sitting, case, case.child_pool, 1)
        ended = ReferralEnded(**letter, request_id=request, level=case.level, outcome=outcome)
        sitting.say("referral.ended", case.child, ended)


def tell(sitting: Sitting, child: str) -> None:
    """Tell home what its child has come to, if this is one."""
    case = sitting.book.cases[child]
    if case.home is None:
        return
    state = _TOLD.get(case.state, "released")
    letter = _letter(sitting, case, case.home.pool, case.revision)
    sitting.say(
        "referral.answered",
        child,
        ReferralAnswered(
            **letter,
            request_id=case.home.request_id,
            level=case.level,
            state=state,
            assignment=case.assignment,
            performers=case.performers,
            reasons=case.reasons,
        ),
    )


def _letter(sitting: Sitting, case: Moved, to: str, revision: int) -> dict[str, Any]:
    signed = sitting.signed(case.pool, revision, case.node_id)
    return {"from_pool": signed.pop("pool"), "to_pool": to, **signed}


def _asked(sitting: Sitting, child: str, letter: ReferralAsked) -> None:
    if child in sitting.book.cases:
        return
    moved = Moved(
        **sitting.signed(letter.to_pool, 1, letter.node_id),
        enterprise_id=letter.enterprise_id,
        kind="referral",
        demand=letter.demand,
        home=Origin(pool=letter.from_pool, request_id=letter.request_id),
        before=None,
        state="matching",
        cause="referral",
        by="matching",
        submitted_at=letter.submitted_at,
        since=sitting.now,
        level=letter.level,
        excluded=letter.excluded,
    )
    sitting.say("request.moved", child, moved)


def _answered(sitting: Sitting, child: str, letter: ReferralAnswered) -> None:
    request = letter.request_id
    case = sitting.book.cases.get(request)
    if case is None or case.child != child:
        return  # it has ended here, or was referred elsewhere; the other pool was told
    match letter.state, case.state:
        case "committed", "escalated":
            sitting.move(request, "committed", "referred", reasons=(), **_sent(letter))
        case "committed", "in_service" | "blocked" if letter.assignment != case.assignment:
            # The letter that work begins here will hold this one, who took over meanwhile.
            kept = {"since": case.since, "wake_at": case.wake_at}
            sitting.move(request, case.state, "referred", **kept, **_sent(letter))
        case "unmet", "escalated":
            _nobody(sitting, request, case, letter)
        case "released", "committed":
            again = {"assignment": None, "performers": (), "wake_at": sitting.until(case)}
            sitting.move(request, "escalated", "released", **again)


def _sent(letter: ReferralAnswered) -> dict[str, Any]:
    return {"assignment": letter.assignment, "performers": letter.performers}


def _nobody(sitting: Sitting, request: str, case: Moved, letter: ReferralAnswered) -> None:
    """Go on to the next tier; above the highest there is only waiting."""
    above = next_pool(sitting, case)
    reasons = tuple(dict.fromkeys((*case.reasons, *letter.reasons)))
    if above is not None:
        escalate(sitting, request, case, above, reasons=reasons)
    else:
        sitting.move(
            request,
            "unmatched",
            "nobody",
            wake_at=sitting.again(case),
            reasons=reasons,
            child=None,
        )
        # Somebody may have become free at home while it was away, and nobody waited then.
        sitting.book.freed.add(case.enterprise_id)


def _begun(sitting: Sitting, child: str) -> None:
    """Hold who was sent to it; whom home does without, because he has just stepped back, is free.

    His letter and home's have crossed then: the work is done at home by those who began it.
    """
    case = sitting.book.cases.get(child)
    if case is None or case.state in ENDED or case.state == "in_service":
        return
    if case.state == "committed":
        sitting.move(child, "in_service", "begun")
    else:
        _over(sitting, child, case, "withdrawn")


def _ended(sitting: Sitting, child: str, letter: ReferralEnded) -> None:
    case = sitting.book.cases.get(child)
    if case is None or case.state in ENDED:
        return
    _over(sitting, child, case, letter.outcome)


def _over(sitting: Sitting, child: str, case: Moved, outcome: str) -> None:
    living = sitting.book.offers.get(case.assignment or "")
    if outcome == "done" and (living is None or living.outcome == "committed"):
        sitting.move(
            child, "closed", "done", served_at=sitting.now if living else None, outcome="done"
        )
        return
    if living is not None:
        assert case.assignment is not None
        sitting.settle(case.assignment, "released", reason="the home pool needs it no more")
    sitting.move(child, "cancelled", "withdrawn", outcome="withdrawn", reasons=())


def unmet(sitting: Sitting, child: str, nobody: Nobody) -> None:
    """Close a child that nobody of this pool can serve, and tell home."""
    sitting.move(child, "closed", "nobody", outcome="unmet", reasons=nobody.reasons)
    tell(sitting, child)
