"""What the tests of a running matcher share: a small province, asks as records, reading back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from uuid_utils import uuid7

from bus import Bus, Partition, Record
from schemas.codec import Event, decode, encode
from schemas.decisions import Moved, Offer, Refused
from schemas.pools import owner
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS, Topic
from schemas.types import PREFIX
from services.matching import app
from services.matching.settings import Settings
from services.matching.worker import Worker

SOON = 20.0
"""Seconds that anything may take by default; on several real brokers it may take longer."""
CITY, COUNTIES = "xiaogan", ("xiaonan-qu", "hanchuan-shi")
NODES = {
    "hub": ("hub", None, None),
    "hubei": ("area", "province", "hub"),
    CITY: ("area", "city", "hubei"),
    **dict.fromkeys(COUNTIES, ("area", "county", CITY)),
}
"""Kind, tier and parent."""
QUICK = {"offer_minutes": 0.02, "escalate_minutes": 0.005}
"""Offers of 1.2 s; 0.3 s until the pool above is asked."""


async def until(true: Callable[[], bool], within: float = SOON) -> None:
    """Wait for a condition; TimeoutError when it never comes."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110  # conditions of many parts have no event
            await asyncio.sleep(0.005)


def stated(node: str, **data: Any) -> dict[str, Any]:
    common = {"revision": 1, "node_id": node, "occurred_at": datetime.now(UTC).isoformat()}
    return common | {"actor_role": "staff", "actor_ref": "s-1"} | data


def record(kind: str, subject: str, /, **data: Any) -> Record:
    """Return an event as a record that goes where it belongs."""
    value = encode(
        {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": "/nodes/test",
            "type": PREFIX + kind,
            "subject": subject,
            "time": datetime.now(UTC).isoformat(),
            "data": stated(owner(subject), **data),
        }
    )
    event = decode(value)
    assert isinstance(event, Event), event
    route = event.kind.route(subject, event.data)
    return Record(event.kind.topic, route, subject.encode(), value)


def province() -> list[Record]:
    """Return a province with a city and two counties, each a pool of its own."""
    return [
        record("node.opened", node, name=node, kind=kind, tier=tier, parent=parent)
        for node, (kind, tier, parent) in NODES.items()
    ]


def expert(name: str, *elements: str, pool: str = COUNTIES[0], **data: Any) -> Record:
    subject = f"{pool}.{name}"
    return record("expert.registered", subject, elements=list(elements or ("STD",)), **data)


def submitted(name: str, *elements: str, pool: str = COUNTIES[0], **demand: Any) -> Record:
    """Return a submission by staff, so that it is matched at once."""
    whole = {"elements": list(elements or ("STD",)), "mode": "diagnosis"} | demand
    return record("request.submitted", f"{pool}.{name}", enterprise_id="ent-1", demand=whole)


def answered(assignment: str, resource: str, *, accepts: bool = True, name: str = "") -> Record:
    kind = "offer.accepted" if accepts else "offer.declined"
    subject = f"{owner(assignment)}.{name or uuid7()}"
    who = {"resource": resource, "actor_role": "expert"}
    return record(kind, subject, assignment_id=assignment, **who)


async def events(log: Bus, topic: Topic) -> list[Event]:
    """Read a topic's events from 0 to its end, partition by partition."""
    places = [Partition(topic.name, n) for n in range(log.partitions(topic))]
    ends = {place: await log.highwater(place) for place in places}
    found: dict[Partition, list[Event]] = {place: [] for place in places}
    async with log.subscribe(None, [topic], lambda _: 0) as reader:
        behind = {place for place, end in ends.items() if end}
        while behind:
            for batch in await reader.poll(1.0, among=behind):
                read = [decode(stored.value) for stored in batch.records]
                found[batch.source] += [one for one in read if isinstance(one, Event)]
                if batch.next >= ends[batch.source]:
                    behind.discard(batch.source)
    return [event for place in places for event in found[place]]


async def ends(log: Bus, *topics: Topic) -> dict[Partition, int]:
    """Return the end of every partition of these topics."""
    places = [Partition(t.name, n) for t in topics for n in range(log.partitions(t))]
    return {place: await log.highwater(place) for place in places}


async def requests(log: Bus) -> dict[str, Moved]:
    """Return every request as it is now."""
    found = await events(log, ASSIGNMENTS)
    return {e.subject: e.data for e in found if isinstance(e.data, Moved)}


async def offers(log: Bus) -> dict[str, Offer]:
    """Return every assignment as it is now."""
    found = await events(log, ASSIGNMENTS)
    return {e.subject: e.data for e in found if isinstance(e.data, Offer)}


async def verdicts(log: Bus) -> list[tuple[str, str]]:
    """Return (type, ask) of every verdict, in order."""
    found = await events(log, ASSIGNMENTS)
    moved = [(e.data.cause, e.data.ask) for e in found if isinstance(e.data, Moved) and e.data.ask]
    return moved + [(e.data.asked, e.subject) for e in found if isinstance(e.data, Refused)]


@asynccontextmanager
async def matching(log: Bus, *, within: float = SOON, **settings: Any) -> AsyncIterator[Worker]:
    """Run a matcher that is ready, after so many seconds at most."""
    chosen = Settings(**{**QUICK, **settings})
    async with asyncio.TaskGroup() as tasks, app.running(log, chosen, tasks) as worker:
        await until(lambda: not worker.ready(), within)
        yield worker


async def decided(log: Bus, worker: Worker, within: float = SOON) -> None:
    """Wait until everything that was asked is decided, also between pools."""
    async with asyncio.timeout(within):
        while True:
            found = await ends(log, REQUESTS, REFERRALS)
            if _done(worker, found) and found == await ends(log, REQUESTS, REFERRALS):
                return
            await asyncio.sleep(0.005)


def _done(worker: Worker, ends: dict[Partition, int]) -> bool:
    sources = worker.sources
    return all(
        source.decided(place) >= end and source.sure  # the thread lowers `sure` first
        for place, end in ends.items()
        if (source := sources.get(place.number)) is not None
    )


async def run(log: Bus, records: Sequence[Record] = (), **settings: Any) -> None:
    """Publish these and run a matcher until all is decided."""
    await log.publish(list(records))
    async with matching(log, **settings) as worker:
        await decided(log, worker)
