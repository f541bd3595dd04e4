"""A thousand random histories on one embedded log: exact for every station, area, and for hub."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from bus import Bus, Record, sqlite
from bus.keys import Keys
from schemas.codec import encode
from schemas.measures import MEASURES
from schemas.topics import REGISTRY, RESULTS
from services import screens
from services.stats import running
from tests.histories import History, event, record
from tests.stats.running import published, settings
from tests.system.people import STATED

HISTORIES = 1000


def document(what: str, subject: str, **data: Any) -> Record:
    """Return a registry record."""
    stated = {"revision": 1, "node_id": subject, **STATED, **data}
    return Record(REGISTRY, subject, subject.encode(), encode(event(what, subject, stated)))


def registered(histories: Iterable[History]) -> list[Record]:
    """Return the tree: hub, an area for each history, its stations; and one merged enterprise."""
    found = [document("node.opened", "hub", kind="hub", name="hub")]
    for history in histories:
        name = history.name
        found.append(document("node.opened", name, kind="area", name=name, parent="hub"))
        found += [
            document("node.opened", station, kind="station", name=station, parent=name)
            for station in history.stations
        ]
        merged = {"node_id": history.stations[0], "merged_into": f"{name}-e0"}
        found.append(document("enterprise.merged_into", f"{name}-e1", **merged))
    return found


def expected(histories: Iterable[History], nodes: set[str]) -> dict[str, int]:
    """Add up what these histories expect at these stations; a merged enterprise is the other."""
    sums: dict[str, int] = {}
    sets: dict[str, set[str]] = {}
    for history in histories:
        merged = {f"{history.name}-e1": f"{history.name}-e0"}
        for (node, key), amount in history.expected.sums.items():
            if node in nodes and not key.startswith("benefit"):
                sums[key] = sums.get(key, 0) + amount
        for (node, key), members in history.expected.sets.items():
            if node in nodes:
                sets.setdefault(key, set()).update(merged.get(m, m) for m in members)
    found = sums | {key: len(members) for key, members in sets.items()}
    return {m.name: found.get(m.name, 0) for m in MEASURES if m.total}


@asynccontextmanager
async def hub(log: Bus, folder: Path) -> AsyncIterator[AsyncClient]:
    """Run stats and screens; yield a client once all facts are published and shown."""
    async with asyncio.TaskGroup() as tasks:
        with Keys.open(folder / "keys.db") as keys:
            shown = screens.Settings(data=folder)
            async with (
                running(log, settings(folder), tasks) as worker,
                screens.running(log, keys, shown, tasks) as service,
            ):
                await published(log, worker, [RESULTS])
                app = FastAPI()
                app.include_router(service.router)
                async with AsyncClient(transport=ASGITransport(app), base_url="http://hub") as http:
                    yield http


async def shown(http: AsyncClient, node: str, **asked: str) -> dict[str, int]:
    """Return what is shown of a node."""
    answer = await http.get("/v1/counters", params={"node": node, "period": "all", **asked})
    assert answer.status_code == 200, answer.text
    measures = answer.json()["measures"]
    return {m.name: measures[m.name]["value"] for m in MEASURES if m.total}


@pytest.mark.timeout(280)
async def test_a_thousand_random_histories_add_up_everywhere(tmp_path: Path) -> None:
    histories = [History(f"h{n}", Random(n)) for n in range(HISTORIES)]
    facts = [record(attributes) for history in histories for attributes in history.events]
    Random(0).shuffle(facts)
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await log.publish(registered(histories))
        positions = [await log.publish(facts[n : n + 2000]) for n in range(0, len(facts), 2000)]
        last = {position.partition: str(position) for call in positions for position in call}
        async with hub(log, tmp_path) as http:
            for position in last.values():
                await shown(http, "hub", after=position, wait="30")
            everywhere = {station for history in histories for station in history.stations}
            assert await shown(http, "hub") == expected(histories, everywhere)
            for history in histories:
                below = set(history.stations)
                assert await shown(http, history.name) == expected([history], below), history.name
                for node in below:
                    assert await shown(http, node) == expected([history], {node}), node
