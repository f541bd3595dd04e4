"""A request as it is told: in a list, or whole with its offer and its timeline."""

from dataclasses import dataclass
from typing import Any

from bus.port import Position
from schemas.decisions import Moved, State, Unmatched
from schemas.lifecycle import ROLES, legal
from schemas.topics import ASSIGNMENTS
from services.screens.requests.people import People
from services.screens.requests.stand import STATES, late_at
from services.screens.sql import Row
from services.screens.stamps import stamp


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table of requests, read; `nobody` says why nobody serves."""

    row: Row
    moved: Moved
    nobody: Unmatched | None

    @classmethod
    def read(cls, row: Row) -> "Case":
        """Return what a row holds that was joined with why nobody serves."""
        unmatched = Unmatched.model_validate_json(row.nobody) if row.nobody else None
        return cls(row, Moved.model_validate_json(row.document), unmatched)

    def summary(self, people: People, now: int, *, others: bool) -> dict[str, Any]:
        """Return what lists show, with what it says of `others` who might have served.

        `now` in milliseconds since 1970.
        """
        moved, limit = self.moved, late_at(self.moved)
        return {
            "id": self.row.id,
            "state": moved.state,
            "revision": moved.revision,
            "node": moved.node_id,
            "node_name": people.node(moved.node_id),
            "enterprise_id": moved.enterprise_id,
            "enterprise_name": people.enterprise(moved.enterprise_id),
            "kind": moved.kind,
            "demand": moved.demand.model_dump(mode="json"),
            "channel": moved.demand.channel,
            "submitted_at": stamp(moved.submitted_at),
            "since": stamp(moved.since),
            "first_response_at": stamp(moved.first_response_at),
            "due_at": stamp(moved.due_at),
            "served_at": stamp(moved.served_at),
            "late": limit is not None and limit < now,
            "blocked_seconds": moved.blocked_seconds,
            "blocked_reason": moved.blocked_reason,
            "assignment": moved.assignment,
            "performers": [people.performer(one) for one in moved.performers],
            "level": moved.level,
            "escalations": moved.escalations,
            "child": moved.child,
            "reasons": moved.reasons,
            "unmatched": self._nobody(others),
            "score": moved.score,
            "outcome": moved.outcome,
            "legal": _LEGAL[moved.kind, moved.state],
            "position": str(Position(ASSIGNMENTS.name, self.row.partition, self.row.offset)),
        }

    def _nobody(self, others: bool) -> dict[str, Any] | None:  # noqa: FBT001  # as in summary
        """Return why nobody serves, while that is so."""
        unserved = self.moved.state in {"unmatched", "escalated"} or self.moved.outcome == "unmet"
        if self.nobody is None or not unserved:
            return None
        told = {"reasons", "passed", "relaxation", "would_fit"}
        found = self.nobody.model_dump(mode="json", include=told)
        return found if others else found | {"passed": [], "would_fit": []}


def _legal(kind: str, state: State, roles: frozenset[str]) -> list[str]:
    """Return the asks that are legal in a state; about a referral only its offer's are."""
    found = legal(state, roles)
    return [ask for ask in found if kind == "request" or ask.startswith("offer.")]


_LEGAL = {
    (kind, state): {group: _legal(kind, state, roles) for group, roles in ROLES.items()}
    for kind in ("request", "referral")
    for state in STATES
}
