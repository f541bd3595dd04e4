"""How a request and an offer stand, as far as funnels count them: rows of the index, cut short."""

from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from schemas.days import business_day
from schemas.decisions import Moved, State
from schemas.lifecycle import ENDED, UNSERVED
from services.screens.stamps import instant

STATES: tuple[State, ...] = get_args(State)
"""All states, in the order of life."""
SETTLED = ENDED | {"resulted", "confirmed", "evaluated"}
"""States in which nothing can be late: the work is done, or will never be."""
WAITING = frozenset({*UNSERVED, "escalated", "offered"})
"""States in which nobody has promised to serve yet."""


class Stand(NamedTuple):
    """A request, in the order of the first columns of its table."""

    id: str
    node: str
    state: str
    outcome: str | None
    escalations: int
    since: int
    submitted: int
    responded: int | None
    late_at: int | None
    stuck: str

    @property
    def reasons(self) -> list[str]:
        """Why it does not go on, as far as known."""
        return [reason for reason in self.stuck.split(",") if reason]

    @property
    def answered(self) -> tuple[str, int] | None:
        """The day of the first response and the minutes it took; None: there was none."""
        if self.responded is None:
            return None
        took = max(0, self.responded - self.submitted)
        return business_day(instant(self.responded)), took // 60_000


class Made(NamedTuple):
    """An offer: of which node, on which day, what has become of it."""

    node: str
    day: str
    outcome: str


def stand(request: str, moved: Moved) -> Stand:
    """Return how a request stands."""
    return Stand(
        request,
        moved.node_id,
        moved.state,
        moved.outcome,
        moved.escalations,
        milliseconds(moved.since),
        milliseconds(moved.submitted_at),
        milliseconds(moved.first_response_at) if moved.first_response_at else None,
        late_at(moved),
        ",".join(_stuck(moved)),
    )


def made(node: str, offered: int, outcome: str) -> Made:
    """Return how an offer stands that was made at a time in milliseconds."""
    return Made(node, business_day(instant(offered)), outcome)


def late_at(moved: Moved) -> int | None:
    """Return when a request becomes late unless something moves before; None: never.

    Matching has moved `due_at` by every closed block. A block that runs moves it on and on, so what
    was in time when it began stays so; `need_by` waits for nobody.
    """
    if moved.state in SETTLED:
        return None
    due, stands_still = moved.due_at, moved.state == "blocked"
    ends = [moved.demand.need_by, None if stands_still and due and moved.since <= due else due]
    return min((milliseconds(end) for end in ends if end is not None), default=None)


def milliseconds(time: datetime) -> int:
    """Return an instant in milliseconds since 1970."""
    return (time - instant(0)) // timedelta(milliseconds=1)


def _stuck(moved: Moved) -> tuple[str, ...]:
    if moved.state == "blocked":
        return (moved.blocked_reason or "other",)
    return moved.reasons or ("other",) if moved.state in {"unmatched", "escalated"} else ()
