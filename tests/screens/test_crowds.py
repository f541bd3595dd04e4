"""Crowds that wait: few enough at a time, told when there is no place, forgotten when they leave.

Who asks without waiting is answered all the time, and who shows a key has places of their own.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.topics import ASSIGNMENTS, COUNTERS, REGISTRY, REQUESTS, RESULTS
from tests.screens.events import listening
from tests.screens.made import NOW, Served, mark, node, service, serving, until
from tests.screens.office import office

LATER = f"{RESULTS.name}:0:999999"
FEW = ("threads", "waiting")
FACTS = "/v1/counters/hub/all/services_delivered/facts"


def waits(served: Served, *who: str) -> float:
    """Return how many questions wait, of these or of all."""
    name, found = "yizhan_screens_waits", who or ("anybody", "keyed")
    return sum(served.metrics.get_sample_value(name, {"who": one}) or 0 for one in found)


@asynccontextmanager
async def waiting(
    served: Served, path: str = "/v1/counters", *, keyed: bool = True, **query: Any
) -> AsyncIterator[None]:
    """Have somebody wait who leaves at the end, as a browser does that closes its connection."""
    before = waits(served)
    shown = {k: v for k, v in served.http.headers.items() if keyed and k == "authorization"}
    async with httpx.AsyncClient(base_url=served.url, headers=shown, timeout=60) as http:
        asked = asyncio.create_task(http.get(path, params={"wait": 60, **query}))
        try:
            await until(lambda: waits(served) == before + 1)
            yield
        finally:
            asked.cancel()
            await asyncio.wait([asked])


async def refused(served: Served, path: str, *, keyed: bool = True, **query: Any) -> None:
    """Ask, and see that there is no place and how that is told."""
    shown = {} if keyed else {"authorization": "Basic none-of-ours"}
    answer = await served.http.get(path, params=query, headers=shown)
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["rule"] == "busy"


async def test_a_crowd_that_waits_is_bounded_and_who_leaves_makes_room(tmp_path: Path) -> None:
    async with serving(tmp_path, port=True, most_waits=2) as served:
        await served.publish(node("hub", None, kind="hub"), mark(7))
        await served.get("/v1/counters", after=f"{RESULTS.name}:0:6")
        async with waiting(served, after=LATER), waiting(served, after=LATER):
            await refused(served, "/v1/counters", after=LATER)
            await served.get("/v1/counters")
            await served.get("/v1/counters", after=f"{RESULTS.name}:0:6")
            await served.get("/v1/counters", 504, after=LATER, wait=0)
        await until(lambda: not waits(served))
        await served.get("/v1/counters", 504, after=LATER, wait=0.01)


@pytest.mark.parametrize("question", ["counters", "facts", "one", "news"])
async def test_a_crowd_without_keys_leaves_places_to_those_with_one(
    tmp_path: Path, question: str
) -> None:
    async with office(tmp_path, port=True, most_waits=1) as served:
        version = (await served.get("/v1/requests"))["version"]
        path, query = {
            "counters": ("/v1/counters", {"after": LATER}),
            "facts": (FACTS, {"after": LATER}),
            "one": ("/v1/requests/area.r", {"after": f"{REQUESTS.name}:0:999999"}),
            "news": ("/v1/requests", {"version": version}),
        }[question]
        async with waiting(served, keyed=False, after=LATER):
            await refused(served, "/v1/counters", keyed=False, after=LATER)
            await served.get(path, 200 if "version" in query else 504, wait=0.01, **query)
            async with waiting(served, path, **query):
                assert (waits(served, "anybody"), waits(served, "keyed")) == (1, 1)
                await refused(served, path, **query)
                await served.get("/v1/requests", version=version, wait=0)


@pytest.mark.parametrize(
    ("path", "topic", "there"),
    [
        ("/v1/counters", RESULTS, 2),
        ("/v1/counters", COUNTERS, 2),
        ("/v1/counters", REGISTRY, 1),
        (FACTS, RESULTS, 2),
        ("/v1/facts/service.delivered/s-1.a", RESULTS, 2),
        ("/v1/requests/area.r", REQUESTS, 2),
        ("/v1/requests/area.r/asks/area.a", ASSIGNMENTS, 2),
        ("/v1/offers/area.r-1", REGISTRY, 1),
    ],
)
async def test_a_partition_that_there_is_not_is_refused_at_once(
    tmp_path: Path, path: str, topic: Any, there: int
) -> None:
    async with office(tmp_path) as served:
        for number in (there, 999_999):
            after = f"{topic.name}:{number}:999999999999999"
            refused = await served.get(path, 422, after=after, wait=60)
            assert (refused["field"], refused["rule"]) == ("after", "partition")
        await served.get(path, 504, after=f"{topic.name}:{there - 1}:999999999999999", wait=0.01)


async def test_clients_that_follow_live_are_bounded_and_who_leaves_makes_room(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, port=True, live_clients=2) as served:
        await served.publish(node("hub", None, kind="hub"), node("s-1"))
        async with listening(served), listening(served, "s-1") as events:
            await events.next()
            await refused(served, "/v1/live")
            assert served.metrics.get_sample_value("yizhan_screens_streams") == 2
        await until(lambda: not served.metrics.get_sample_value("yizhan_screens_streams"))
        async with listening(served) as events:
            await events.next()


async def test_facts_and_requests_are_told_while_every_shared_thread_is_taken(
    tmp_path: Path,
) -> None:
    taken = threading.Event()
    async with office(tmp_path) as served:
        after = await served.publish(service("s-1.a"))
        await served.get(FACTS, after=after)
        loop = asyncio.get_running_loop()
        others = [loop.run_in_executor(None, taken.wait, 60) for _ in range(64)]
        try:
            async with asyncio.timeout(10):
                assert len((await served.get(FACTS))["facts"]) == 1
                assert (await served.get("/v1/facts/service.delivered/s-1.a"))["stands"]
                assert (await served.get("/v1/requests"))["requests"] == []
        finally:
            taken.set()
        await asyncio.gather(*others)


WORK: dict[str, tuple[str, dict[str, Any]]] = {
    "past": ("/v1/counters", {"as_of": NOW.isoformat()}),
    "pages": (FACTS, {}),
    "looks": ("/v1/requests", {}),
}


@pytest.mark.parametrize("crowded", WORK)
async def test_a_crowd_that_asks_for_long_work_holds_up_no_other_work(
    tmp_path: Path, crowded: str
) -> None:
    few = {f"{kind}_{what}": 1 for kind in ("past", "facts", "look") for what in FEW}
    async with office(tmp_path, **few) as served:
        for path, query in WORK.values():
            await served.get(path, **query)
        taken, aside = threading.Event(), getattr(served.screens, crowded)
        asked = [asyncio.ensure_future(aside.run(taken.wait, 60)) for _ in FEW]
        await asyncio.wait(asked, timeout=0)
        try:
            async with asyncio.timeout(10):
                for kind, (path, query) in WORK.items():
                    if kind == crowded:
                        await refused(served, path, **query)
                    else:
                        await served.get(path, **query)
        finally:
            taken.set()
        await asyncio.gather(*asked)
        path, query = WORK[crowded]
        await served.get(path, **query)
