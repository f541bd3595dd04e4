"""What a number consists of: the facts behind one key of a node's period, page by page."""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection

from bus.port import Position
from schemas.measures import NAMED, Kind, parse
from schemas.topics import RESULTS
from services.screens.past import Covers, Fact, GoOn, Scope, facts
from services.screens.stamps import stamp


class Page(NamedTuple):
    """Some facts, or groups of them by enterprise; `next` is where to go on, None at the end."""

    rows: list[dict[str, Any]]
    next: str | None


class Wanted(NamedTuple):
    """The key of a number, which node's days it covers, and how merges are followed."""

    key: str
    covers: Covers
    resolve: Callable[[str], str]


class Cut(NamedTuple):
    """Which part of all that: what comes after a subject or an enterprise, at most so many."""

    after: str | None
    limit: int


def page(connection: Connection, scope: Scope, wanted: Wanted, cut: Cut, go_on: GoOn) -> Page:
    """Return at most about `limit` facts of a sum, or the facts of `limit` enterprises of a set.

    A sum goes on after a subject, a set after an enterprise.
    """
    if NAMED[parse(wanted.key)[0]].kind is Kind.SET:
        found = facts(connection, scope, go_on)
        return _grouped(_counting(found, scope, wanted), wanted, cut)
    groups = facts(connection, scope._replace(after=cut.after), go_on)
    rows: list[dict[str, Any]] = []
    for fact in _counting(groups, scope, wanted):
        if len(rows) >= cut.limit and fact.event.subject != rows[-1]["subject"]:
            return Page(rows, rows[-1]["subject"])
        rows.append(_row(fact) | {"counts": dict(fact.counts.sums)[wanted.key]})
    return Page(rows, None)


def _grouped(found: Iterable[Fact], wanted: Wanted, cut: Cut) -> Page:
    """Keep no more than the page and the name after it, of however many there are."""
    after, limit = cut
    groups: dict[str, list[dict[str, Any]]] = {}
    names: list[str] = []
    for fact in found:
        members = {wanted.resolve(m) for key, m in fact.counts.members if key == wanted.key}
        for member in members:
            if member in groups:
                groups[member].append(_row(fact))
            elif (after is None or member > after) and (len(names) <= limit or member < names[-1]):
                insort(names, member)
                groups[member] = [_row(fact)]
                if len(names) > limit + 1:
                    del groups[names.pop()]
    rows = [{"enterprise_id": name, "facts": groups[name]} for name in names[:limit]]
    return Page(rows, names[limit - 1] if len(names) > limit else None)


def _counting(groups: Iterable[list[Fact]], scope: Scope, wanted: Wanted) -> Iterator[Fact]:
    for fact in (fact for group in groups for fact in group):
        counted = fact.counts
        keys = {key for key, _ in (*counted.sums, *counted.members)}
        inside = wanted.key in keys and counted.day in scope.period
        if inside and wanted.covers(counted.node, counted.day):
            yield fact


def _row(fact: Fact) -> dict[str, Any]:
    data = fact.event.data
    return {
        "type": fact.event.kind.name,
        "subject": fact.event.subject,
        "revision": data.revision,
        "node_id": data.node_id,
        "enterprise_id": getattr(data, "enterprise_id", None),
        "day": fact.counts.day,
        "occurred_at": stamp(data.occurred_at),
        "position": str(Position(RESULTS.name, fact.partition, fact.offset)),
    }
