"""Writing a batch of decisions: what stands, the verdicts, the timeline, and who will notice."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from bus.port import Batch, Partition
from schemas.decisions import Advanced, Moved, Offer, Refused, Unmatched
from schemas.slots import Verdict, verdict
from services.screens.requests.entries import entry
from services.screens.requests.stand import Made, Stand, made, milliseconds, stand
from services.screens.requests.stir import Key
from services.screens.requests.tables import (
    ASK,
    DECIDED,
    ENTRY,
    MEMBER,
    NOBODY,
    OFFER,
    REQUEST,
    STANDING,
)
from services.screens.requests.verdicts import answered
from services.screens.sql import among, put
from services.screens.writer import Heard

Slot = tuple[str, str]
MADE = (OFFER.c.node, OFFER.c.offered, OFFER.c.outcome)
STAND = tuple(REQUEST.c[name] for name in Stand._fields)


class Standing(NamedTuple):
    """A row of the table of the same name."""

    slot: str
    subject: str
    revision: int
    content: str


@dataclass(slots=True)
class Outcome:
    """What a batch changed: how requests and offers stood before and stand now, by whom it matters.

    `decided` are the inputs that matching has decided on, up to the offset that comes next.
    """

    requests: list[tuple[Stand | None, Stand]] = field(default_factory=list)
    offers: list[tuple[Made | None, Made]] = field(default_factory=list)
    keys: set[Key] = field(default_factory=set)
    decided: dict[Partition, int] = field(default_factory=dict)


def judge(connection: Connection, batch: Batch, heard: Sequence[Heard]) -> Outcome:
    """Write a batch of the topic assignments; return what is new in it."""
    taken = _take(connection, batch, heard)
    outcome = Outcome(decided=taken.decided)
    for before, after in _requests(connection, taken.moved):
        outcome.requests.append((before, after))
        outcome.keys |= {("node", s.node) for s in (before, after) if s is not None}
    outcome.offers += _offers(connection, taken.offers)
    outcome.keys |= {("node", offer["node"]) for offer in taken.offers.values()}
    _write(connection, batch, taken)
    outcome.keys |= set(_concerned(connection, taken))
    return outcome


@dataclass(slots=True)
class _Taken:
    standing: dict[Slot, Standing] = field(default_factory=dict)
    changed: dict[Slot, Standing] = field(default_factory=dict)
    moved: dict[str, dict[str, Any]] = field(default_factory=dict)
    offers: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)
    nobody: dict[str, bytes] = field(default_factory=dict)
    asks: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    stood: list[Heard] = field(default_factory=list)
    decided: dict[Partition, int] = field(default_factory=dict)

    def take(self, partition: int, one: Heard) -> None:
        """Take a decision in if it stands; a verdict on an ask is one, even if more came since."""
        event, data = one.event, one.event.data
        slot = _slot(one)
        found = verdict(self.standing.get(slot), data.revision, event.content)
        if found in {Verdict.REPEAT, Verdict.CONFLICT}:
            return
        if (row := answered(partition, one)) is not None:
            self.asks.setdefault((row["id"], row["type"]), row)
        if found is Verdict.STANDS:
            standing = Standing(*slot, data.revision, event.content)
            self.standing[slot] = self.changed[slot] = standing
            self.stood.append(one)
            self._keep(partition, one)

    def _keep(self, partition: int, one: Heard) -> None:
        data, subject = one.event.data, one.event.subject
        place = {"partition": partition, "offset": one.offset, "document": _data(one)}
        match data:
            case Moved():
                self.moved[subject] = _request(subject, data) | place
            case Offer():
                self.offers[subject] = _offer(subject, data) | place
                self.members |= {(member.id, subject) for member in data.members}
            case Unmatched():
                self.nobody[data.request_id] = _data(one)


def _take(connection: Connection, batch: Batch, heard: Sequence[Heard]) -> _Taken:
    subjects = {one.event.subject for one in heard}
    rows = among(connection, select(STANDING), STANDING.c.subject, subjects)
    taken = _Taken({(row.slot, row.subject): Standing(*row) for row in rows})
    for one in heard:
        if isinstance(one.event.data, Advanced):
            taken.decided |= {_place(name): at for name, at in one.event.data.positions.items()}
        else:
            taken.take(batch.partition, one)
    return taken


def _place(name: str) -> Partition:
    topic, _, number = name.rpartition(":")
    return Partition(topic, int(number) if number.isdecimal() else -1)


def _slot(one: Heard) -> Slot:
    """Return the slot of a decision; asks of different types may share an id."""
    event = one.event
    asked = f"{event.slot}/{event.data.asked}" if isinstance(event.data, Refused) else event.slot
    return asked, event.subject


def _requests(
    connection: Connection, moved: dict[str, dict[str, Any]]
) -> Iterator[tuple[Stand | None, Stand]]:
    """Yield how requests stood and stand: those that home counts."""
    known = {row.id: Stand(*row) for row in among(connection, select(*STAND), REQUEST.c.id, moved)}
    for request, row in moved.items():
        if row["kind"] == "request":
            yield known.get(request), Stand(*(row[name] for name in Stand._fields))


def _offers(
    connection: Connection, offers: dict[str, dict[str, Any]]
) -> Iterator[tuple[Made | None, Made]]:
    query = select(OFFER.c.assignment, *MADE)
    rows = among(connection, query, OFFER.c.assignment, offers)
    known = {assignment: made(*row) for assignment, *row in rows}
    for assignment, row in offers.items():
        yield known.get(assignment), made(*(row[column.name] for column in MADE))


def _write(connection: Connection, batch: Batch, taken: _Taken) -> None:
    ids = [ask for ask, _ in taken.asks]
    for row in among(connection, select(ASK.c.id, ASK.c.type), ASK.c.id, ids):
        taken.asks.pop((row.id, row.type), None)  # the first verdict is the verdict
    put(connection, STANDING, [row._asdict() for row in taken.changed.values()])
    put(connection, REQUEST, list(taken.moved.values()))
    put(connection, OFFER, list(taken.offers.values()))
    put(connection, MEMBER, [{"resource": r, "assignment": a} for r, a in taken.members])
    put(connection, NOBODY, [{"request": r, "document": d} for r, d in taken.nobody.items()])
    put(connection, ASK, list(taken.asks.values()))
    put(connection, ENTRY, [entry(batch.topic, batch.partition, one) for one in taken.stood])
    put(
        connection,
        DECIDED,
        [{"topic": p.topic, "number": p.number, "next": n} for p, n in taken.decided.items()],
    )


def _concerned(connection: Connection, taken: _Taken) -> Iterator[Key]:
    """Yield the enterprises and resources to whom a batch means something."""
    requests: Iterable[str] = {*taken.moved, *(row["request"] for row in taken.offers.values())}
    asked_for = {row["parent"] for row in taken.moved.values() if row["parent"] is not None}
    wanted = {*requests, *asked_for}
    for row in among(connection, select(REQUEST.c.enterprise), REQUEST.c.id, wanted):
        yield "enterprise", row.enterprise
    members = select(MEMBER.c.resource).join(OFFER, OFFER.c.assignment == MEMBER.c.assignment)
    for row in among(connection, members, OFFER.c.request, requests):
        yield "resource", row.resource


def _request(subject: str, moved: Moved) -> dict[str, Any]:
    return stand(subject, moved)._asdict() | {
        "kind": moved.kind,
        "enterprise": moved.enterprise_id,
        "pool": moved.pool,
        "revision": moved.revision,
        "private": moved.demand.private,
        "parent": moved.demand.parent_id,
        "home": moved.home and moved.home.request_id,
    }


def _offer(subject: str, offer: Offer) -> dict[str, Any]:
    return {
        "assignment": subject,
        "request": offer.request_id,
        "node": offer.node_id,
        "outcome": offer.outcome,
        "offered": milliseconds(offer.offered_at),
    }


class _Whole(msgspec.Struct):
    data: msgspec.Raw


_whole = msgspec.json.Decoder(_Whole).decode


def _data(one: Heard) -> bytes:
    return bytes(_whole(one.value).data)


def note(connection: Connection, batch: Batch, heard: Sequence[Heard]) -> Outcome:
    """Write a batch of the topic requests: what was asked, whether or not it is judged."""
    put(connection, ENTRY, [entry(batch.topic, batch.partition, one) for one in heard])
    return Outcome()
