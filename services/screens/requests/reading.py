"""What the routes ask of the index: one request, many, offers."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from schemas.lifecycle import BOOKED
from services.screens.requests.case import Case
from services.screens.requests.deal import Deal
from services.screens.requests.sight import LIVING
from services.screens.requests.tables import MEMBER, NOBODY, OFFER, REQUEST
from services.screens.requests.timeline import timelines

Where = ColumnElement[bool]
OPEN: Where = or_(
    OFFER.c.outcome == "offered",
    and_(OFFER.c.outcome == "committed", REQUEST.c.state.in_(sorted(BOOKED))),
)
"""Which offers wait for an answer, or for the work."""


class Whole(NamedTuple):
    """A request with all that belongs to it.

    `parent` is the enterprise of its parent's request, `members` are who has to do with it,
    `asked` who was ever asked.
    """

    case: Case
    parent: str | None
    members: set[str]
    asked: set[str]
    offer: Deal | None
    timeline: list[dict[str, Any]]


def whole(connection: Connection, request: str) -> Whole | None:
    """Return a request; None when there is none."""
    found = cases(connection, REQUEST.c.id == request, limit=1)
    if not found:
        return None
    (case,) = found
    parent = select(REQUEST.c.enterprise).where(REQUEST.c.id == case.row.parent)
    offers = deals(connection, OFFER.c.assignment == case.moved.assignment, limit=1)
    return Whole(
        case,
        connection.scalar(parent),
        _members(connection, request, OFFER.c.outcome.in_(LIVING)),
        _members(connection, request),
        offers[0] if offers else None,
        timelines(connection, [request])[request],
    )


def cases(
    connection: Connection, *where: Where, limit: int, after: tuple[int, str] | None = None
) -> list[Case]:
    """Return requests, the newest first; `after` is when the last one before was submitted, and
    its id.
    """  # noqa: D205
    query = select(REQUEST, NOBODY.c.document.label("nobody")).outerjoin(
        NOBODY, NOBODY.c.request == REQUEST.c.id
    )
    if after is not None:
        at, last = after
        older = and_(REQUEST.c.submitted == at, REQUEST.c.id < last)
        where = (*where, or_(REQUEST.c.submitted < at, older))
    ordered = query.where(*where).order_by(REQUEST.c.submitted.desc(), REQUEST.c.id.desc())
    return [Case.read(row) for row in connection.execute(ordered.limit(limit))]


def deals(connection: Connection, *where: Where, limit: int) -> list[Deal]:
    """Return offers, the newest first."""
    query = _offers().where(*where).order_by(OFFER.c.offered.desc(), OFFER.c.assignment.desc())
    return [Deal.read(row) for row in connection.execute(query.limit(limit))]


def made_to(resource: str) -> Where:
    """Return which offers were made to an expert, an agency or a device."""
    mine = select(MEMBER.c.assignment).where(MEMBER.c.resource == resource)
    return OFFER.c.assignment.in_(mine)


def _offers() -> Select[Any]:
    joined = select(OFFER, REQUEST.c.document.label("about"))
    return joined.outerjoin(REQUEST, REQUEST.c.id == OFFER.c.request)


def _members(connection: Connection, request: str, *where: Where) -> set[str]:
    query = select(MEMBER.c.resource).join(OFFER, OFFER.c.assignment == MEMBER.c.assignment)
    return set(connection.scalars(query.where(OFFER.c.request == request, *where)))
