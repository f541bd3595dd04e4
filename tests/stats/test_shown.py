"""A request that was decided about reaches the counters of its node and of all above it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from bus import Bus, sqlite
from bus.keys import Keys
from schemas.topics import ASSIGNMENTS, COUNTED, REQUESTS
from services import screens
from services.stats import running
from tests.stats.cases import POOL, Case, Offered, record
from tests.stats.running import published, settings, until
from tests.system.test_histories import document

TREE = [
    document("node.opened", "hub", kind="hub", name="hub"),
    document("node.opened", "yubei", kind="area", name="yubei", parent="hub"),
    document("node.opened", "yinhu", kind="station", name="yinhu", parent="yubei"),
]


@asynccontextmanager
async def hub(log: Bus, folder: Path) -> AsyncIterator[AsyncClient]:
    """Run stats and screens; an audit follows every second."""
    with Keys.open(folder / "keys.db") as keys:
        async with (
            asyncio.TaskGroup() as tasks,
            running(log, settings(folder, audit_every=1), tasks) as worker,
            screens.running(log, keys, screens.Settings(data=folder), tasks) as service,
        ):
            await published(log, worker, COUNTED)
            await until(lambda: service.ready() == {})
            app = FastAPI()
            app.include_router(service.router)
            async with AsyncClient(transport=ASGITransport(app), base_url="http://hub") as http:
                yield http


async def asked(http: AsyncClient, node: str, **more: str) -> Any:
    answer = await http.get("/v1/counters", params={"node": node, "wait": "10", **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_request_is_shown_at_its_node_and_at_all_above_and_nothing_drifts(
    tmp_path: Path,
) -> None:
    case, offer = (
        Case(f"{POOL}.r-1", "yinhu", Random(8)),
        Offered(f"{POOL}.a-1", "yinhu", Random(1)),
    )
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await log.publish(TREE)
        async with hub(log, tmp_path) as http:
            told = [record(attributes) for attributes in (*case.events, *offer.events)]
            *_, last = await log.publish(told)
            for node in ("yinhu", "yubei", "hub"):
                measures = (await asked(http, node, after=str(last)))["measures"]
                for key, amount in (case.expected + offer.expected).items():
                    if ";" not in key:
                        assert measures[key]["value"] == amount, (node, key)
                outcome = {key: n for key, n in measures["offers"]["by"]["outcome"].items() if n}
                assert outcome == {offer.events[-1]["data"]["outcome"]: 1}
            day = (await asked(http, "hub", period=case.day))["measures"]
            assert day["requests"] == {"value": 1, "unit": "件"}
            async with asyncio.timeout(30):
                while (await asked(http, "hub"))["drift"] != "none":  # noqa: ASYNC110  # HTTP has no event
                    await asyncio.sleep(0.1)


async def test_positions_of_what_counts_can_be_waited_for_and_of_asks_cannot(
    tmp_path: Path,
) -> None:
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await log.publish(TREE)
        async with hub(log, tmp_path) as http:
            late = {"wait": "0", "after": f"{ASSIGNMENTS.name}:0:99"}
            assert (await http.get("/v1/counters", params=late)).status_code == 504
            other = {"wait": "0", "after": f"{REQUESTS.name}:0:0"}
            assert (await http.get("/v1/counters", params=other)).status_code == 422
