"""One ask: what was stated, and the verdict on it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, or_, select

from bus.port import Position
from schemas.topics import ASSIGNMENTS, REQUESTS
from services.screens.requests.tables import ASK, ENTRY, OFFER
from services.screens.sql import Row

_read = msgspec.json.Decoder().decode
_CONFLICT: dict[str, Any] = {
    "verdict": "refused",
    "cause": "conflict",
    "detail": "something else was asked under this id before: that was judged",
    "state": None,
    "legal": [],
    "revision": None,
}
_PENDING: dict[str, Any] = {
    "verdict": "pending",
    **dict.fromkeys(("cause", "detail", "state", "revision", "position")),
    "legal": [],
}


class Asked(NamedTuple):
    """An ask: what was stated, as far as it was read, and the verdict, once there is one."""

    stated: Row | None
    judged: Row | None

    @property
    def node(self) -> str | None:
        """The node it was asked for."""
        return self.stated and self.stated.node

    @property
    def enterprise(self) -> str | None:
        """The enterprise that it says it is for."""
        return self.stated and _read(self.stated.document).get("enterprise_id")

    def told(self, request: str, ask: str) -> dict[str, Any]:
        """Return the verdict as people read it; who asked something else under its id lost."""
        named = {"ask": ask, "request_id": request}
        if self.judged is None:
            return named | _PENDING
        place = Position(ASSIGNMENTS.name, self.judged.partition, self.judged.offset)
        lost = self.stated is not None and self.stated.content != self.judged.content
        own = _CONFLICT if lost else _read(self.judged.document) | {"verdict": self.judged.verdict}
        return named | own | {"position": str(place)}


def asked(connection: Connection, ask: str, request: str, at: Position | None) -> Asked | None:
    """Return the ask of an id about a request: the one at a position, or the last that was judged.

    None when nothing like it is known.
    """
    about = select(OFFER.c.assignment).where(OFFER.c.request == request)
    stated = select(ENTRY).where(
        ENTRY.c.subject == ask,
        ENTRY.c.topic == REQUESTS.name,
        or_(ENTRY.c.request == request, ENTRY.c.assignment.in_(about)),
    )
    judged = select(ASK).where(ASK.c.id == ask).order_by(ASK.c.offset.desc())
    here = or_(ASK.c.request == request, ASK.c.assignment.in_(about))
    asks = connection.execute(stated.order_by(ENTRY.c.offset)).all()
    # What was asked here under the id of an ask about another request has lost to that one.
    verdicts = connection.execute(judged if asks else judged.where(here)).all()
    return _chosen(asks, verdicts, at) if asks or verdicts else None


def _chosen(asks: Sequence[Row], verdicts: Sequence[Row], at: Position | None) -> Asked:
    here = [row for row in asks if at and (row.partition, row.offset) == (at.partition, at.offset)]
    if here:
        found = next((row for row in verdicts if row.type == here[0].type), None)
        return Asked(here[0], found)
    last = verdicts[0] if verdicts else None
    first = next((row for row in asks if last is None or row.type == last.type), None)
    return Asked(first, last)
