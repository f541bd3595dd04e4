"""What happened to requests, here and at the pools they were referred to, the oldest first."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from bus.port import Position
from schemas.topics import REQUESTS
from services.screens.requests.tables import ASK, ENTRY, OFFER, REQUEST
from services.screens.sql import Row, among
from services.screens.stamps import stamped

_read = msgspec.json.Decoder().decode


def timelines(connection: Connection, requests: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the timeline of each of these requests: decisions, and asks not yet judged."""
    wanted = set(requests)
    children = among(connection, select(REQUEST.c.id, REQUEST.c.home), REQUEST.c.home, wanted)
    homes = {request: request for request in wanted} | {row.id: row.home for row in children}
    rows = {_place(row): (row, row.request) for row in _about(connection, homes)}
    for row in _answers(connection, homes):
        rows.setdefault(_place(row), (row, row.about))
    pending = _pending(connection, [row for row, _ in rows.values()])
    found: dict[str, list[dict[str, Any]]] = {request: [] for request in wanted}
    for row, request in sorted(rows.values(), key=_order):
        if row.topic != REQUESTS.name or _place(row) in pending:
            found[homes[request]].append(told(row, request))
    return found


def told(row: Row, request: str) -> dict[str, Any]:
    """Return an entry: {"at", "type", "request_id", "subject", "position"} and what is its own."""
    nothing = dict.fromkeys(("state", "cause", "by", "note", "assignment"))
    own: dict[str, Any] = nothing | {"reasons": []} | _read(row.document)
    return own | {
        "at": stamped(row.logged),
        "type": row.type,
        "request_id": request,
        "subject": row.subject,
        "assignment": row.assignment or own["assignment"],
        "position": str(Position(row.topic, row.partition, row.offset)),
    }


def _about(connection: Connection, requests: Iterable[str]) -> Iterable[Row]:
    return among(connection, select(ENTRY), ENTRY.c.request, requests)


def _answers(connection: Connection, requests: Iterable[str]) -> Iterable[Row]:
    """Return what names only an assignment of these requests: answers to offers."""
    query = select(ENTRY, OFFER.c.request.label("about")).join(
        OFFER, OFFER.c.assignment == ENTRY.c.assignment
    )
    return among(connection, query.where(ENTRY.c.request.is_(None)), OFFER.c.request, requests)


def _pending(connection: Connection, rows: Iterable[Row]) -> set[tuple[str, int, int]]:
    """Return where the asks lie that nobody has judged; what was asked twice stands once."""
    asks = [row for row in rows if row.topic == REQUESTS.name]
    judged = among(connection, select(ASK.c.id, ASK.c.type), ASK.c.id, (r.subject for r in asks))
    known = {(row.id, row.type) for row in judged}
    first: dict[tuple[str, str], Row] = {}
    for row in sorted(asks, key=lambda row: row.offset):
        if (row.subject, row.type) not in known:
            first.setdefault((row.subject, row.type), row)
    return {_place(row) for row in first.values()}


def _place(row: Row) -> tuple[str, int, int]:
    return row.topic, row.partition, row.offset


def _order(entry: tuple[Row, str]) -> tuple[int, str, int, int]:
    return entry[0].logged, *_place(entry[0])
