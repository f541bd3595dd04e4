"""What stands, or stood at an earlier time, subject by subject: what numbers are made of.

A number of any time is the sum of what the subjects contributed then, by `contribution`; which
records were known then goes by the time at which the log took them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from schemas.codec import Event, decode
from schemas.contribution import Counts, Slot, contribution, counts
from schemas.days import Period
from schemas.slots import Verdict
from schemas.types import VOID
from services.screens.tables import STANDING, STATEMENT

_FEW = 500  # nodes that are worth naming in SQL

Covers = Callable[[str, str], bool]
"""Whether a node's day belongs to what is asked for."""
GoOn = Callable[[], None]
"""Asked for each subject: raises what ends the work."""


class Scope(NamedTuple):
    """Which facts are asked for: days, the only nodes that can matter (None: any), a type of
    fact (None: any), subjects after one, and the time at which they were known (None: now).
    """  # noqa: D205

    period: Period
    nodes: frozenset[str] | None = None
    kind: str | None = None
    after: str | None = None
    as_of: int | None = None


class Fact(NamedTuple):
    """A live fact, and what it counts as part of its subject."""

    event: Event
    partition: int
    offset: int
    counts: Counts


def facts(connection: Connection, scope: Scope, go_on: GoOn) -> Iterator[list[Fact]]:
    """Yield the live facts of every subject that may have some in scope, in order of subjects."""
    rows = connection.execution_options(yield_per=1000).execute(_rows(scope))
    for _, group in groupby(rows, key=lambda row: row.subject):
        go_on()
        if found := _contributing(list(group)):
            yield found


def totals(
    connection: Connection, scope: Scope, covers: Covers, go_on: GoOn
) -> dict[str, set[str] | int]:
    """Return sums and sets by key over all facts in scope."""
    found: dict[str, Any] = {}
    for fact in (f for group in facts(connection, scope, go_on) for f in group):
        if fact.counts.day in scope.period and covers(fact.counts.node, fact.counts.day):
            for key, amount in fact.counts.sums:
                found[key] = found.get(key, 0) + amount
            for key, member in fact.counts.members:
                found.setdefault(key, set()).add(member)
    return found


def _contributing(rows: Sequence[Any]) -> list[Fact]:
    live, slots = [], []
    for row in rows:
        event = decode(row.value)
        if row.kind == VOID or not isinstance(event, Event):
            continue
        live.append((event, row.partition, row.offset))
        counted = counts(row.kind, event.data)
        slots.append(Slot(row.kind, row.revision, row.content, counted))
    # One live slot of each type: `contribution` keeps their order.
    return [Fact(*one, part) for one, part in zip(live, contribution(slots), strict=True)]


def _rows(scope: Scope) -> Select[Any]:
    """Return all that stands of the subjects that have something in scope."""
    place = STATEMENT.c.partition, STATEMENT.c.offset
    at = STATEMENT.c
    found = select(at.subject, at.kind, at.revision, at.content, at.value, *place)
    if scope.as_of is None:
        joined = STATEMENT.join(
            STANDING, (STANDING.c.partition == place[0]) & (STANDING.c.offset == place[1])
        )
        subjects = select(STANDING.c.subject).where(*_wanted(STANDING.c, scope))
        found = found.select_from(joined).where(STANDING.c.subject.in_(subjects))
        return found.order_by(STANDING.c.subject, STANDING.c.slot)
    known = (at.verdict == Verdict.STANDS.value) & (at.logged <= scope.as_of)
    subjects = select(at.subject).where(known, *_wanted(at, scope))
    last = (
        select(at.partition, func.max(at.offset).label("offset"))
        .where(known, at.subject.in_(subjects))
        .group_by(at.subject, at.slot, at.partition)
        .subquery()
    )
    joined = STATEMENT.join(last, (last.c.partition == place[0]) & (last.c.offset == place[1]))
    return found.select_from(joined).order_by(at.subject, at.slot)


def _wanted(at: Any, scope: Scope) -> Iterator[ColumnElement[bool]]:  # noqa: ANN401  # columns
    if scope.period.first is not None and scope.period.last is not None:
        yield at.day.between(scope.period.first, scope.period.last)
    if scope.nodes is not None and len(scope.nodes) <= _FEW:
        yield at.node.in_(sorted(scope.nodes))
    if scope.kind is not None:
        yield at.slot == scope.kind
    if scope.after is not None:
        yield at.subject > scope.after
