"""An offer as it is told to whom it is made, with what the request says of the work."""

from dataclasses import dataclass
from typing import Any

from bus.port import Position
from schemas.decisions import Member, Moved, Offer
from schemas.topics import ASSIGNMENTS
from services.screens.requests.people import People
from services.screens.sql import Row
from services.screens.stamps import stamp


@dataclass(frozen=True, slots=True)
class Deal:
    """A row of the table of offers, read; `moved` is its request, None while that is not known."""

    row: Row
    offer: Offer
    moved: Moved | None

    @classmethod
    def read(cls, row: Row) -> "Deal":
        """Return what a row holds that was joined with its request."""
        moved = Moved.model_validate_json(row.about) if row.about else None
        return cls(row, Offer.model_validate_json(row.document), moved)

    def told(self, people: People, *, others: bool) -> dict[str, Any]:
        """Return it as people read it, with what it says of `others` who might have served."""
        offer, moved, row = self.offer, self.moved, self.row
        demand = moved.demand if moved else None
        plain = offer.model_dump(mode="json", include=_PLAIN)
        unsaid: dict[str, Any] = {} if others else {"alternatives": [], "passed": []}
        return (
            plain
            | unsaid
            | {
                "assignment": row.assignment,
                "node": offer.node_id,
                "node_name": people.node(offer.node_id),
                "enterprise_name": people.enterprise(offer.enterprise_id),
                "about": demand and demand.about,
                "minutes": demand and demand.minutes,
                "urgent": demand.urgent if demand else None,
                "members": [_member(member, people) for member in offer.members],
                "offered_at": stamp(offer.offered_at),
                "expires_at": stamp(offer.expires_at),
                "state": moved and moved.state,
                "position": str(Position(ASSIGNMENTS.name, row.partition, row.offset)),
            }
        )


def _member(member: Member, people: People) -> dict[str, Any]:
    return {
        "kind": member.kind,
        "id": member.id,
        "label": people.label(member.id),
        "start": stamp(member.start),
        "end": stamp(member.end),
        "answer": member.answer,
    }


_PLAIN = {
    "request_id", "enterprise_id", "outcome", "elements", "mode", "parts", "score", "alternatives",
    "passed", "reason", "member",
}  # fmt: skip
