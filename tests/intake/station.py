"""What the tests of intake post, with whose key, and what they read back from the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI

from bus.keys import Keys, Role
from bus.port import Bus
from schemas.codec import Event, decoder
from schemas.topics import REGISTRY, REQUESTS, RESULTS, Topic
from services.intake import Intake, Settings, problems, running

BATCH = "application/cloudevents-batch+json"
ACTOR = {"actor_role": "staff", "actor_ref": "s-17"}


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2023, 5, 6, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def service(**more: Any) -> dict[str, Any]:
    """Return the data of a service that is right."""
    return {
        "node_id": "yinhu",
        "enterprise_id": "ent-000001",
        "elements": ["STD", "TST"],
        "mode": "diagnosis",
        "occurred_at": "2023-05-06T09:30:00+08:00",
        **ACTOR,
        **more,
    }


def node(name: str, parent: str | None, **more: Any) -> dict[str, Any]:
    """Return the document of a node."""
    return {
        "node_id": name,
        "kind": "station",
        "name": name,
        "parent": parent,
        "occurred_at": "2020-01-01T00:00:00+08:00",
        **ACTOR,
        **more,
    }


def event(kind: str, subject: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a whole event as a station sends it."""
    return {
        "specversion": "1.0",
        "id": f"id-{subject}",
        "source": "/nodes/yinhu",
        "type": f"yizhan.{kind}",
        "subject": subject,
        "time": "2023-05-06T10:00:00+08:00",
        "datacontenttype": "application/json",
        "data": {"revision": 1, **data},
        **more,
    }


@dataclass
class Station:
    """A client of an intake, as the holder of one key."""

    log: Bus
    keys: Keys
    intake: Intake
    client: httpx.AsyncClient
    token: str
    extra: dict[str, str] = field(default_factory=dict)

    def holding(
        self, scope: str, role: Role = Role.WRITER, subject: str | None = None
    ) -> "Station":
        """Return the same client with a new key, which may speak for somebody."""
        token = self.keys.issue(scope, role, subject=subject)
        return Station(self.log, self.keys, self.intake, self.client, token)

    async def send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Send JSON (or bytes as they are) with the key; header names use _ for -."""
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes | str):
            sent.setdefault("content-type", "application/json")
            return await self.client.request(method, path, content=body, headers=sent)
        return await self.client.request(method, path, json=body, headers=sent)

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.send("POST", path, body, **headers)

    async def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.send("PUT", path, body, **headers)

    async def caught_up(self) -> None:
        """Wait until intake has read all that the log holds."""
        door = self.intake.door
        await door.view.current()
        for number in range(self.log.partitions(REQUESTS)):
            await door.cases.current(number)

    async def plant(self) -> None:
        """Register the tree."""
        for name, parent in (("county", "hub"), ("yinhu", "county"), ("chengbei", "county")):
            answer = await self.put(f"/v1/registry/nodes/{name}", node(name, parent))
            assert answer.status_code == 202, answer.text

    async def events(self, topic: Topic = RESULTS) -> list[Event]:
        """Return all that the log holds of a topic; every record must be usable."""
        async with self.log.subscribe(None, [topic], lambda _: 0) as subscription:
            batches = await subscription.poll(0)
        count = self.log.partitions(topic)
        found = [
            decoder(topic, batch.partition, count)(record.value)
            for batch in batches
            for record in batch.records
        ]
        assert all(isinstance(one, Event) for one in found), found
        return [one for one in found if isinstance(one, Event)]

    async def nodes(self) -> list[Event]:
        return await self.events(REGISTRY)


@asynccontextmanager
async def open_station(
    log: Bus, keys: Keys, clock: Clock, settings: Settings | None = None
) -> AsyncIterator[Station]:
    """Run an intake and be its client with a key to everything."""
    app = FastAPI()
    problems(app)
    async with (
        asyncio.TaskGroup() as tasks,
        running(log, keys, settings or Settings(), tasks, clock=clock) as intake,
    ):
        app.include_router(intake.router)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            token = keys.issue("hub", Role.ADMIN)
            yield Station(log, keys, intake, client, token)


def rules(answer: httpx.Response) -> set[tuple[str, str]]:
    """Return which fields broke which rules."""
    return {(error["field"], error["rule"]) for error in answer.json()["errors"]}
