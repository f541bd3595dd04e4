"""A round of matching: everything that waits is matched at once, then what is newly possible."""

from schemas.decisions import Unmatched
from services.matching import offering, referring
from services.matching.choice import Case, Choice, Nobody
from services.matching.choose import choose
from services.matching.sitting import Sitting
from services.matching.waking import awake


def match(sitting: Sitting) -> None:
    """Match what waits, and what waits again because supply has come back."""
    book = sitting.book
    cases = awake(sitting)
    if not cases:
        return
    found = choose(
        cases, sitting.supply, book.diary, sitting.now, sitting.rules, explain=book.queue
    )
    for case in cases:
        answer = found[case.id]
        if isinstance(answer, Choice):
            _serve(sitting, case, answer)
        elif case.id in book.queue:
            _nobody(sitting, case, answer)


def _serve(sitting: Sitting, case: Case, choice: Choice) -> None:
    if case.moved.state == "unmatched":
        sitting.move(case.id, "matching", "supply")
    offering.offer(sitting, case.id, choice)


def _nobody(sitting: Sitting, case: Case, nobody: Nobody) -> None:
    moved = case.moved
    sitting.say(
        "request.unmatched",
        case.id,
        Unmatched(
            **sitting.signed(moved.pool, moved.revision + 1, moved.node_id),
            request_id=case.id,
            kind=moved.kind,
            reasons=nobody.reasons,
            passed=nobody.passed,
            relaxation=nobody.relaxation,
            would_fit=nobody.would_fit,
        ),
    )
    if moved.kind == "referral":
        referring.unmet(sitting, case.id, nobody)
        return
    if referring.next_pool(sitting, moved) is None:
        wake = sitting.again(moved)
    else:
        wake = min(sitting.until(moved), sitting.now + sitting.rules.escalate_after)
    sitting.move(case.id, "unmatched", "nobody", reasons=nobody.reasons, wake_at=wake)
