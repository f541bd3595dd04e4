"""One subject: what stands in its slots, what was ever stated, what each statement lost to."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from bus.port import Position
from schemas.contribution import pending
from schemas.slots import Verdict
from schemas.topics import RESULTS
from schemas.types import VOID
from services.screens.stamps import stamped
from services.screens.tables import STATEMENT

Row = Any
"""A row of the table of statements."""


class Timeline:
    """All statements about a subject, in the order of the log."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._standing = {r.slot: r for r in rows if r.verdict == Verdict.STANDS.value}
        # Reversed, so that of equal revisions the first remains.
        self._first = {(r.slot, r.revision): r for r in reversed(rows)}

    @classmethod
    def read(cls, connection: Connection, subject: str, as_of: int | None = None) -> "Timeline":
        """Return what was stated about a subject, up to a time in milliseconds."""
        chosen = select(STATEMENT).where(STATEMENT.c.subject == subject)
        if as_of is not None:
            chosen = chosen.where(STATEMENT.c.logged <= as_of)
        return cls(connection.execute(chosen.order_by(STATEMENT.c.offset)).all())

    def standing(self, slot: str) -> Row | None:
        """Return the statement that stands in a slot."""
        return self._standing.get(slot)

    def at(self, position: Position) -> Row | None:
        """Return the statement at a position."""
        here = position.partition, position.offset
        return next((r for r in self._rows if (r.partition, r.offset) == here), None)

    def fact(self, slot: str) -> dict[str, Any] | None:
        """Return what people read of a slot; None when nothing was ever stated there.

        `stands` is whether there is a fact: not one that was voided. `data` is what stands;
        `pending` are the types that must come before all of the subject counts.
        """
        now = self.standing(slot)
        if now is None:
            return None
        stands = now.kind != VOID
        return {
            "type": slot,
            "subject": now.subject,
            "stands": stands,
            "revision": now.revision,
            "position": place(now),
            "data": _data(now) if stands else None,
            "voided": None if stands else {"reason": _data(now)["reason"], "at": now.occurred_at},
            "pending": pending(s for s, row in self._standing.items() if row.kind != VOID),
            "timeline": [self.entry(row) for row in self._rows if row.slot == slot],
        }

    def entry(self, row: Row) -> dict[str, Any]:
        """Return one statement with the verdict on it as of now, and what it lost to."""
        winner = self._winner(row)
        lost = winner is not None and row.verdict == Verdict.STANDS.value
        return {
            "revision": row.revision,
            "type": row.kind,
            "verdict": Verdict.SUPERSEDED.value if lost else row.verdict,
            "lost_to": winner and {"revision": winner.revision, "position": place(winner)},
            "position": place(row),
            "logged": stamped(row.logged),
            "occurred_at": row.occurred_at,
            "node_id": row.node,
            "enterprise_id": row.enterprise,
        }

    def _winner(self, row: Row) -> Row | None:
        """Return what stands in a statement's place; None when it stands itself.

        A repeat or a conflict lost to the first of its revision, even if that was replaced since.
        """
        if row.verdict in (Verdict.REPEAT.value, Verdict.CONFLICT.value):
            return self._first[row.slot, row.revision]
        now = self._standing[row.slot]
        return None if now.offset == row.offset else now


def place(row: Row) -> str:
    """Return the position of a statement."""
    return str(Position(RESULTS.name, row.partition, row.offset))


def _data(row: Row) -> Any:  # noqa: ANN401  # JSON
    return msgspec.json.decode(row.value)["data"]
