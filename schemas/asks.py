"""What people ask of matching. An ask is no state: matching answers each with one verdict.

The subject of request.submitted is the request's id; every other ask has an id of its own,
`<pool>.<local>`, because it can happen again. `node_id` is the node it is asked for.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.demand import Demand
from schemas.fields import Count, Id, Ref, Revision, Stated, Subject, Text, Time, Word


class Ask(Stated):
    """What all asks share: each is stated once, so there is only a first revision.

    `resource` is for which expert or agency it is asked.
    """

    revision: Annotated[Revision, Field(le=1)] = 1
    resource: Subject | None = None


class RequestSubmitted(Ask):
    """An enterprise, or a station for it, asks for a service."""

    enterprise_id: Id
    demand: Demand
    visit_id: Ref | None = None


class Moving(Ask):
    """An ask about a request that is there already."""

    request_id: Subject


class RequestAccepted(Moving):
    """The station takes the request on."""

    due_at: Time | None = None


class RequestReturned(Moving):
    """The station sends the request back."""

    reason: Text


class ServiceStarted(Moving):
    """The work begins; staff may serve at once what nobody has been assigned to."""

    place: Literal["onsite", "window", "online", "host"] | None = None


class ServiceBlocked(Moving):
    """The work must wait; clocks stand still meanwhile."""

    reason: Word


class ServiceUnblocked(Moving):
    """The work goes on."""


class ResultRecorded(Moving):
    """The work is done: what was found, by reference."""

    findings: Ref | None = None
    outputs: Annotated[tuple[Word, ...], Field(max_length=20, fail_fast=True)] = ()


class RequestConfirmed(Moving):
    """The enterprise confirms the result."""


class RequestDisputed(Moving):
    """The enterprise disputes the result."""

    reason: Text


class RequestEvaluated(Moving):
    """The enterprise scores what it got."""

    score: Annotated[int, Field(ge=1, le=5)]


class RequestFollowedUp(Moving):
    """The station called back (回访)."""

    note: Text | None = None


class EscalationRequested(Moving):
    """The head of the station wants the next tier to serve now."""

    reason: Text | None = None


class RequestClosed(Moving):
    """The station closes the case."""

    reason: Text | None = None


class RequestCancelled(Moving):
    """The request is withdrawn; every reservation becomes free."""

    reason: Text | None = None


class RequestReopened(Moving):
    """The enterprise takes a closed case up again."""

    reason: Text


class OfferAccepted(Ask):
    """A member of an assignment accepts it; `resource` may be left out when it alone is asked."""

    assignment_id: Subject


class OfferDeclined(Ask):
    """A member of an assignment declines it, or steps back from it."""

    assignment_id: Subject
    reason: Text | None = None
    minutes: Count | None = None
