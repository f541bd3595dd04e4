"""Records as other services write them, and screens on a real log, served on a real port."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bus import sqlite
from bus.keys import Keys
from bus.port import Bus, Partition, Position, Record
from schemas.codec import content, encode
from schemas.days import SHANGHAI
from schemas.measures import CATALOGUE
from schemas.topics import COUNTERS, HEARTBEATS, REGISTRY, RESULTS
from services.screens import Screens, Settings, running

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=SHANGHAI)
TODAY = "2026-11-21"
SOURCE = Partition(RESULTS.name, 0)
_serial = itertools.count()


def event(kind: str, subject: str, data: dict[str, Any], at: datetime = NOW) -> bytes:
    return encode(
        {
            "specversion": "1.0",
            "id": f"t-{next(_serial)}",
            "source": "/tests",
            "type": f"yizhan.{kind}",
            "subject": subject,
            "time": at.isoformat(),
            "data": data,
        }
    )


def stated(node: str, revision: int = 1, at: datetime = NOW) -> dict[str, Any]:
    return {
        "revision": revision,
        "node_id": node,
        "occurred_at": at.isoformat(),
        "actor_role": "staff",
        "actor_ref": "s-1",
    }


def node(id_: str, parent: str | None = "hub", revision: int = 1, **more: Any) -> Record:
    data = stated(id_, revision) | {"kind": "station", "name": id_.title(), "parent": parent} | more
    return Record(REGISTRY, id_, id_.encode(), event("node.opened", id_, data))


def enterprise(id_: str, revision: int = 1, **more: Any) -> Record:
    data = stated("hub", revision) | more
    return Record(REGISTRY, id_, id_.encode(), event("enterprise.registered", id_, data))


def beat(id_: str, complete_to: datetime = NOW, waiting: int = 0) -> Record:
    data = {"node_id": id_, "complete_to": complete_to.isoformat(), "waiting": waiting}
    return Record(HEARTBEATS, id_, id_.encode(), event("heartbeat.sent", id_, data))


def _report(kind: str, key: str, source: Partition, position: int, **data: Any) -> Record:
    whole = {
        "topic": source.topic,
        "partition": source.number,
        "catalogue": CATALOGUE,
        "position": position,
    } | data
    route = f"{source.topic}/{source.number}"
    return Record(COUNTERS, route, key.encode(), event(kind, key, whole))


def row(  # noqa: PLR0917
    node: str,
    day: str,
    position: int,
    sums: dict[str, int],
    sets: dict[str, list[str]] | None = None,
    source: Partition = SOURCE,
    **more: Any,
) -> Record:
    part = f"#{more['part']}" if more.get("part") else ""
    key = f"{node}/{day}/{source.topic}/{source.number}{part}"
    data = {"node": node, "day": day, "sums": sums, "sets": sets or {}} | more
    return _report("counter.updated", key, source, position, **data)


def mark(position: int, source: Partition = SOURCE, **more: Any) -> Record:
    return _report("counters.flushed", f"flush/{source}", source, position, **more)


def audit(position: int, *differences: str, source: Partition = SOURCE) -> Record:
    return _report(
        "counters.audited", f"audit/{source}", source, position, differences=list(differences)
    )


def fact(kind: str, subject: str, data: dict[str, Any]) -> Record:
    return Record(RESULTS, subject, subject.encode(), event(kind, subject, data))


def service(
    subject: str,
    enterprise: str = "e-1",
    revision: int = 1,
    node: str | None = None,
    at: datetime = NOW,
    **more: Any,
) -> Record:
    data = stated(node or subject.partition(".")[0], revision, at)
    data |= {"enterprise_id": enterprise, "elements": ["STD"], "mode": "diagnosis"} | more
    return fact("service.delivered", subject, data)


def void(subject: str, revision: int, target: str = "service.delivered", **more: Any) -> Record:
    data = stated(subject.partition(".")[0], revision)
    data |= {"target_type": f"yizhan.{target}", "reason": "wrong"} | more
    return fact("record.voided", subject, data)


def hash_of(record: Record) -> str:
    whole = json.loads(record.value or b"")
    return content(whole["type"], whole["data"])


@dataclass
class Clock:
    """A clock that stands still until it is moved; the log is written by it, too."""

    now: datetime = NOW

    def __call__(self) -> float:
        return self.now.timestamp()

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Served:
    """Screens that run, and a client of theirs."""

    log: Bus
    keys: Keys
    screens: Screens
    http: httpx.AsyncClient
    clock: Clock
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    url: str = ""
    last: list[Position] = field(default_factory=list)

    async def publish(self, *records: Record) -> str:
        """Publish; return the position of the last record, as `after` takes it."""
        self.last = await self.log.publish(records)
        return str(self.last[-1])

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    port: bool = False,
    log: str | None = None,
    through: Callable[[Bus], Any] = lambda real: real,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Run screens; on a port of its own when a stream is to be followed.

    They read the log `through` something that may stand before it.
    """
    clock, metrics = Clock(), CollectorRegistry()
    place = log or str(folder / "log.db")
    with Keys.open(folder / "keys.db", clock) as keys:
        async with (
            sqlite.connect(place, 2, clock=clock) as bus,
            asyncio.TaskGroup() as tasks,
            running(
                through(bus),
                keys,
                Settings(data=folder, **settings),
                tasks,
                clock,
                metrics=metrics,
            ) as screens,
        ):
            app = FastAPI()
            app.include_router(screens.router)
            async with _client(app, port=port) as http:
                yield Served(bus, keys, screens, http, clock, metrics, str(http.base_url))


@asynccontextmanager
async def _client(app: FastAPI, *, port: bool) -> AsyncIterator[httpx.AsyncClient]:
    if not port:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://screens") as http:
            yield http
        return
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        serve = asyncio.create_task(server.serve([bound]))
        base = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, timeout=20) as http:
            yield http
        server.should_exit = server.force_exit = True
        await serve


async def until(condition: Callable[[], Any], within: float = 10) -> None:
    """Wait for a condition, letting others run."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
