"""What the clock does by itself: offers expire, requests go up a tier, or are given up."""

from schemas.decisions import Moved
from services.matching import offering, referring
from services.matching.sitting import Sitting


def strike(sitting: Sitting) -> None:
    """Do everything whose time has come."""
    for request in sorted(set(sitting.book.ring(sitting.now))):
        case = sitting.book.cases[request]
        if case.state == "offered":
            offering.expire(sitting, request)
        elif case.state in {"unmatched", "escalated"}:
            _unserved(sitting, request, case)


def _unserved(sitting: Sitting, request: str, case: Moved) -> None:
    book = sitting.book
    if sitting.until(case) <= sitting.now:
        referring.end(sitting, request, case, "withdrawn")
        sitting.move(request, "closed", "overdue", outcome="unmet", child=None)
    elif case.state == "unmatched" and (above := referring.next_pool(sitting, case)) is not None:
        referring.escalate(sitting, request, case, above)
    else:
        if case.state == "unmatched":
            book.freed.add(case.pool)
        book.alarm(sitting.again(case), request)
