"""Judging a batch of statements against what stands, and writing both in few SQL statements."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select

from bus.port import Partition
from schemas.days import SHANGHAI, business_day
from schemas.slots import Verdict, verdict
from schemas.types import VOID
from services.screens.sql import among, put
from services.screens.stamps import stamp
from services.screens.tables import COPIED, STANDING, STATEMENT
from services.screens.ticker import News
from services.screens.trend import Hour
from services.screens.writer import Heard

SERVICE = "yizhan.service.delivered"
Slot = tuple[str, str]


class Standing(NamedTuple):
    """A row of the table of the same name, in the order of its columns."""

    subject: str
    slot: str
    partition: int
    offset: int
    kind: str
    revision: int
    content: str
    node: str
    day: str
    hour: int


class Outcome(NamedTuple):
    """What a batch changed for those who watch."""

    news: list[News]
    hours: list[Hour]


def judge(connection: Connection, partition: int, heard: Sequence[Heard]) -> Outcome:
    """Write a batch; return what is new for ticker and trend."""
    standing = _standing(connection, {one.event.subject for one in heard})
    rows, changed, outcome = [], {}, Outcome([], [])
    for one in heard:
        slot = one.event.subject, one.event.slot
        before = standing.get(slot)
        found = verdict(before, one.event.data.revision, one.event.content)
        row = _row(partition, one, found)
        rows.append(row)
        if found is Verdict.STANDS:
            after = standing[slot] = changed[slot] = Standing(*(row[name] for name in COPIED))
            outcome.hours.extend(_hours(before, after))
            outcome.news.append(news(partition, one))
    if rows:
        connection.execute(insert(STATEMENT), rows)
    put(connection, STANDING, [row._asdict() for row in changed.values()])
    return outcome


def news(partition: int, heard: Heard) -> News:
    """Return what a ticker says of a statement that stands."""
    event, data = heard.event, heard.event.data
    corrected = "correction" if data.revision > 1 else None
    return News(
        serial=(heard.logged, partition, heard.offset),
        at=stamp(data.occurred_at) or "",
        node=data.node_id,
        type=event.slot,
        elements=tuple(getattr(data, "elements", ())),
        mode=getattr(data, "mode", None),
        kind=getattr(data, "kind", None),
        note="void" if event.kind.name == VOID else corrected,
    )


def floor(connection: Connection, source: Partition) -> int:
    """Return the latest append time of what is held of a partition."""
    latest = select(func.max(STATEMENT.c.logged)).where(STATEMENT.c.partition == source.number)
    return int(connection.scalar(latest) or 0)


def _standing(connection: Connection, subjects: set[str]) -> dict[Slot, Standing]:
    rows = among(connection, select(STANDING), STANDING.c.subject, subjects)
    return {(row.subject, row.slot): Standing(*row) for row in rows}


def _row(partition: int, heard: Heard, found: Verdict) -> dict[str, Any]:
    event, data = heard.event, heard.event.data
    return {
        "partition": partition,
        "offset": heard.offset,
        "subject": event.subject,
        "slot": event.slot,
        "kind": event.kind.name,
        "revision": data.revision,
        "content": event.content,
        "verdict": found.value,
        "node": data.node_id,
        "enterprise": getattr(data, "enterprise_id", None),
        "day": business_day(data.occurred_at),
        "hour": data.occurred_at.astimezone(SHANGHAI).hour,
        "occurred_at": stamp(data.occurred_at),
        "logged": heard.logged,
        "value": heard.value,
    }


def _hours(before: Standing | None, after: Standing) -> Iterator[Hour]:
    for row, amount in ((before, -1), (after, 1)):
        if row is not None and row.kind == SERVICE:
            yield Hour(row.day, row.hour, row.node, amount)
