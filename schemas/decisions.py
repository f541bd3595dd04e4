"""What matching decides, all on the topic assignments and routed by the pool that decides.

The newest `request.moved` of a request *is* the request; the newest `match.*` of an assignment is
the assignment. So whoever reads a partition from its beginning knows what its matcher knows.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from schemas.demand import Demand
from schemas.fields import Count, Frozen, Id, Ref, Stated, Subject, Text, Time, Word
from schemas.supply import Kind

FEW = 1000

State = Literal[
    "submitted", "returned", "accepted", "matching", "unmatched", "escalated", "offered",
    "committed", "in_service", "blocked", "resulted", "disputed", "confirmed", "evaluated",
    "closed", "cancelled", "reopened",
]  # fmt: skip
OVER: frozenset[State] = frozenset({"returned", "closed", "cancelled"})
"""States in which nothing is left to do."""
Outcome = Literal["offered", "committed", "declined", "expired", "released"]
Reason = Literal[
    "element_not_offered", "no_specialty", "no_industry", "qualification_expired", "conflict",
    "no_capacity", "no_slot_in_time", "equipment_unavailable", "fee_not_agreed",
    "consent_missing", "all_declined", "authority_only", "ineligible",
]  # fmt: skip
Subjects = Annotated[tuple[Subject, ...], Field(max_length=FEW, fail_fast=True)]
Reasons = Annotated[tuple[Reason, ...], Field(max_length=FEW, fail_fast=True)]
Cause = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,59}$")]
"""The type of an ask without its prefix, or a word for what matching did by itself."""


class Decision(Stated):
    """What all decisions share: the pool that decides, and when (`occurred_at`, its `now`)."""

    pool: Id


class Origin(Frozen):
    """The request at its home pool that a child stands for."""

    pool: Id
    request_id: Subject


class Moved(Decision):
    """The whole request after a move; `ask` and `content` say which ask this is the verdict on.

    `cause` is the type of the ask, or what matching did by itself. Without an ask it is no verdict.
    `kind` is "referral" for a child that another pool has asked for: no counter counts it.
    `blocked_seconds` are those of closed blocks; `since` is when `state` began. `assignment` and
    `performers` are who serves now; `excluded` were asked in vain; `offers` is how many there were.
    `level` is how often it was referred, `child` the referral that is open, `child_pool` who was
    asked last. `reasons` say why nobody serves, while that is so. `served_at` is when a result
    was recorded. `wake_at` is when matching will look at it again without being asked.
    """

    enterprise_id: Id
    kind: Literal["request", "referral"]
    demand: Demand
    home: Origin | None = None
    visit_id: Ref | None = None
    before: State | None
    state: State
    cause: Cause
    note: Text | None = None
    by: Word
    ask: Subject | None = None
    content: str | None = None
    submitted_at: Time
    since: Time
    first_response_at: Time | None = None
    due_at: Time | None = None
    blocked_seconds: Count = 0
    blocked_reason: Word | None = None
    offers: Count = 0
    assignment: Subject | None = None
    performers: Subjects = ()
    excluded: Subjects = ()
    level: Annotated[int, Field(ge=0, le=9)] = 0
    child: Subject | None = None
    child_pool: Id | None = None
    escalations: Count = 0
    reasons: Reasons = ()
    wake_at: Time | None = None
    served_at: Time | None = None
    score: Annotated[int, Field(ge=1, le=5)] | None = None
    outcome: Literal["done", "unmet", "withdrawn"] | None = None

    @property
    def served(self) -> bool:
        """Whether a result was recorded."""
        return self.served_at is not None

    @property
    def counted_at(self) -> datetime:
        """A request counts on the day it was submitted."""
        return self.submitted_at

    @property
    def open(self) -> int:
        """1 while it is not returned, closed or cancelled."""
        return int(self.state not in OVER)

    @property
    def unmet(self) -> int:
        """1 while nobody serves it, for the reasons it states, and when it was closed like that."""
        waits = self.state in ("unmatched", "escalated") and bool(self.reasons)
        return int(waits or self.outcome == "unmet")

    @property
    def responded(self) -> int:
        """1 once somebody has taken it on, sent it back, or begun."""
        return int(self.first_response_at is not None)

    @property
    def first_response_seconds(self) -> int:
        """Whole seconds from its submission to the first response; 0 before that."""
        waited = (self.first_response_at or self.submitted_at) - self.submitted_at
        return max(0, waited // timedelta(seconds=1))

    @property
    def resulted(self) -> int:
        """1 once a result was recorded."""
        return int(self.served)

    @property
    def confirmed(self) -> int:
        """1 once the enterprise has confirmed the result, unless it took the case up again."""
        closed = self.state == "closed" and self.outcome == "done"
        return int(closed or self.state in ("confirmed", "evaluated"))

    @property
    def evaluated(self) -> int:
        """1 once the enterprise has scored it."""
        return int(self.score is not None)


class Refused(Decision):
    """An ask was refused: why, in which state, and what would be legal. Its subject is the ask's.

    Nothing has changed. `state` is None when there is no such request.
    """

    request_id: Subject | None = None
    assignment_id: Subject | None = None
    asked: Cause
    content: str
    cause: Word
    detail: Text
    state: State | None = None
    legal: Annotated[tuple[str, ...], Field(max_length=FEW, fail_fast=True)] = ()


class Member(Frozen):
    """One member of an assignment, and the time for which it is booked.

    `answer` is None while a member that must answer has not; who need not has "accepted".
    """

    kind: Kind
    id: Subject
    start: Time
    end: Time
    answer: Literal["accepted", "declined"] | None = None


class Part(Frozen):
    """One part of a score; the parts add up to it."""

    name: Word
    points: int


class Alternative(Frozen):
    """What else was possible: the members, and the score they would have had."""

    members: Subjects
    score: int


class Passed(Frozen):
    """A resource that might have served, and the constraint that kept it from it."""

    id: Subject
    reason: Reason


class Offer(Decision):
    """A whole assignment: whom it asks, for when, why them, and what became of it."""

    request_id: Subject
    enterprise_id: Id
    kind: Literal["request", "referral"]
    outcome: Outcome
    elements: Annotated[tuple[str, ...], Field(max_length=FEW, fail_fast=True)]
    mode: Word
    members: Annotated[tuple[Member, ...], Field(max_length=FEW, fail_fast=True)]
    parts: Annotated[tuple[Part, ...], Field(max_length=FEW, fail_fast=True)]
    score: int
    alternatives: Annotated[tuple[Alternative, ...], Field(max_length=FEW, fail_fast=True)] = ()
    passed: Annotated[tuple[Passed, ...], Field(max_length=FEW, fail_fast=True)] = ()
    offered_at: Time
    expires_at: Time
    reason: Text | None = None
    member: Subject | None = None

    @property
    def counted_at(self) -> datetime:
        """An offer counts on the day it was made."""
        return self.offered_at


class Relaxation(Frozen):
    """A change that would help: of the request's `field`, or of what the registry says of one.

    `resource` is None for a field of the demand, given as a dotted path ("need_by", "needs.0.
    industry"); `to` is the value it would have to have, as JSON text (null: left out).
    """

    field: str
    to: str
    resource: Subject | None = None


class Unmatched(Decision):
    """Nobody can serve: every constraint that blocks, the least that would help, who would fit."""

    request_id: Subject
    kind: Literal["request", "referral"]
    reasons: Reasons
    passed: Annotated[tuple[Passed, ...], Field(max_length=FEW, fail_fast=True)] = ()
    relaxation: Annotated[tuple[Relaxation, ...], Field(max_length=FEW, fail_fast=True)] = ()
    would_fit: Subjects = ()


class Escalated(Decision):
    """The request goes up a tier: the pool above is asked, under the child's id."""

    request_id: Subject
    child: Subject
    from_pool: Id
    to_pool: Id
    level: int
    reason: Text


class Advanced(Frozen):
    """A matcher has decided on everything up to `positions`, by the clock `now`.

    Positions go by "topic:partition"; `partition` is the one of assignments that this stands in.
    """

    partition: Annotated[int, Field(ge=0)]
    positions: dict[str, int]
    now: Time
