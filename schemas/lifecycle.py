"""The life of a request, as one table: which asks are legal, by whom, and where they lead.

Validation, refusals ("what would be legal"), the buttons of a desk and the diagram in
docs/lifecycle.md all come from here. What matching does by itself is in OWN.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.decisions import OVER, State

STAFF = frozenset({"staff", "head"})
HEAD = frozenset({"head"})
ENTERPRISE = frozenset({"enterprise", "enterprise_cqo"})
PERFORMER = frozenset({"expert", "agency", "lab", "department", "bank", "team"})
ROLES = {"staff": STAFF, "head": HEAD, "enterprise": ENTERPRISE, "performer": PERFORMER}
"""Groups of actor roles; a head is staff as well."""

BOOKED: frozenset[State] = frozenset({"offered", "committed", "in_service", "blocked"})
"""States in which members are reserved, until a result is recorded for the first time."""
ENDED = OVER
UNSERVED: tuple[State, ...] = ("submitted", "reopened", "accepted", "matching", "unmatched")


@dataclass(frozen=True, slots=True)
class Row:
    """One ask: legal in the states `of`, for the roles `by`; it leads to `to` (None: it stays)."""

    ask: str
    of: tuple[State, ...]
    to: State | None
    by: frozenset[str]


TABLE = (
    Row("request.submitted", (), "submitted", ENTERPRISE | STAFF),
    Row("request.accepted", ("submitted", "reopened"), "accepted", STAFF),
    Row("request.returned", ("submitted", "reopened"), "returned", STAFF),
    Row("offer.accepted", ("offered",), "committed", PERFORMER),
    Row("offer.accepted", ("offered",), "offered", PERFORMER),  # others have still to answer
    Row("offer.declined", ("offered", "committed"), "matching", PERFORMER),
    Row("service.started", ("committed", "disputed"), "in_service", PERFORMER | STAFF),
    Row("service.started", UNSERVED, "in_service", STAFF),
    Row("service.blocked", ("in_service",), "blocked", PERFORMER | STAFF),
    Row("service.unblocked", ("blocked",), "in_service", PERFORMER | STAFF),
    Row("request.result_recorded", ("in_service",), "resulted", PERFORMER | STAFF),
    Row("request.confirmed", ("resulted",), "confirmed", ENTERPRISE),
    Row("request.disputed", ("resulted",), "disputed", ENTERPRISE),
    Row("request.evaluated", ("confirmed",), "evaluated", ENTERPRISE),
    Row("request.followed_up", ("resulted", "confirmed", "evaluated", "closed"), None, STAFF),
    Row("escalation.requested", ("matching", "unmatched"), "escalated", HEAD),
    Row(
        "request.closed",
        ("resulted", "disputed", "confirmed", "evaluated", "unmatched", "escalated"),
        "closed",
        STAFF,
    ),
    Row(
        "request.cancelled",
        (*UNSERVED, "escalated", "offered", "committed", "in_service", "blocked"),
        "cancelled",
        ENTERPRISE | STAFF,
    ),
    Row("request.reopened", ("confirmed", "evaluated", "closed"), "reopened", ENTERPRISE),
)

OWN: tuple[tuple[State, State, str], ...] = (
    ("submitted", "accepted", "own_desk"),
    ("accepted", "matching", "queued"),
    ("matching", "offered", "matched"),
    ("matching", "committed", "matched"),
    ("matching", "unmatched", "nobody"),
    ("unmatched", "matching", "supply"),
    ("unmatched", "escalated", "delay"),
    ("escalated", "committed", "referred"),
    ("in_service", "in_service", "referred"),  # who was sent stepped back, another took over
    ("blocked", "blocked", "referred"),
    ("escalated", "escalated", "delay"),
    ("escalated", "unmatched", "nobody"),
    ("offered", "matching", "expired"),
    ("offered", "matching", "released"),
    ("committed", "matching", "released"),
    ("committed", "escalated", "released"),
    ("matching", "closed", "overdue"),
    ("unmatched", "closed", "overdue"),
    ("escalated", "closed", "overdue"),
)
"""What matching does by itself: from, to, cause."""


def row(ask: str, state: State | None) -> Row | None:
    """Return the row by which `ask` is legal in `state`; None state: there is no request yet."""
    wanted = () if state is None else (state,)
    return next((r for r in TABLE if r.ask == ask and (r.of == wanted or state in r.of)), None)


def legal(state: State | None, roles: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the asks that are legal in a state, for any of these roles (None: for anybody)."""
    wanted = None if roles is None else frozenset(roles)
    found = (
        r.ask
        for r in TABLE
        if (state in r.of or (state is None and not r.of)) and (wanted is None or wanted & r.by)
    )
    return tuple(dict.fromkeys(found))


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> submitted: request.submitted"]
    lines += [
        f"    {state} --> {r.to}: {r.ask}" for r in TABLE for state in r.of if r.to is not None
    ]
    lines += [f"    {a} --> {b}: ({cause})" for a, b, cause in OWN]
    lines += [f"    {state} --> [*]" for state in sorted(ENDED)]
    return "\n".join(lines) + "\n"
