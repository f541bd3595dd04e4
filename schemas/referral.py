"""What pools say to each other, written by matching alone and routed by the pool it is said to.

The subject is the child's id, `<request>.<level>`: levels strictly rise.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.decisions import Reasons, Subjects
from schemas.demand import Demand
from schemas.fields import Id, Stated, Subject, Time


class Referral(Stated):
    """What all of them share: who says it to whom, about which request."""

    from_pool: Id
    to_pool: Id
    request_id: Subject
    level: Annotated[int, Field(ge=1, le=9)]


class ReferralAsked(Referral):
    """The home pool cannot serve: can you? `excluded` have been asked in vain already."""

    enterprise_id: Id
    demand: Demand
    submitted_at: Time
    excluded: Subjects = ()


class ReferralAnswered(Referral):
    """What the child has come to at the pool that was asked."""

    state: Literal["committed", "unmet", "released"]
    assignment: Subject | None = None
    performers: Subjects = ()
    reasons: Reasons = ()


class ReferralBegun(Referral):
    """At home the work has begun: who was sent cannot step back any more."""


class ReferralEnded(Referral):
    """Home needs the child no more: what it reserved is free."""

    outcome: Literal["done", "withdrawn"]
