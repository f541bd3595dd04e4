"""What can be asked of a process while its services are still starting."""

import asyncio
from asyncio import Event, TaskGroup
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.responses import PlainTextResponse

from deploy import hub
from deploy.entrance import Entrance
from deploy.hub import Hub
from deploy.parts import Ground, Part
from deploy.settings import Settings
from tests.system.process import free_port


class Slow:
    """A service that takes until it is let go to start."""

    def __init__(self) -> None:
        self.starting, self.go = Event(), Event()

    def ready(self) -> dict[str, str]:
        """Nothing is missing."""
        return {}

    @asynccontextmanager
    async def running(self, _on: Ground) -> AsyncIterator["Slow"]:
        """Start."""
        self.starting.set()
        await self.go.wait()
        yield self


async def _guest(_hub: Hub, stop: Event) -> None:
    await stop.wait()


async def test_a_process_that_starts_says_that_it_lives_and_lets_all_else_wait(
    tmp_path: Path,
) -> None:
    slow, stop = Slow(), Event()
    settings = Settings(data=tmp_path, port=free_port())
    parts = [Part("slow", slow.running)]
    url = f"http://127.0.0.1:{settings.port}"
    async with TaskGroup() as tasks, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        tasks.create_task(hub.run(settings, parts, _guest, stop))
        await slow.starting.wait()
        assert (await client.get("/livez")).status_code == 200
        early = await client.get("/readyz")
        assert (early.status_code, early.json()["missing"]["start"]) == (
            503,
            "the services are starting",
        )
        asked = tasks.create_task(client.get("/metrics"))
        assert not (await asyncio.wait([asked], timeout=0.2))[0]
        slow.go.set()
        assert "yizhan_ready 1.0" in (await asked).text
        assert (await client.get("/readyz")).status_code == 200
        stop.set()


async def test_a_process_that_is_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    slow, stop = Slow(), Event()
    settings = Settings(data=tmp_path, port=free_port())
    async with TaskGroup() as tasks:
        tasks.create_task(hub.run(settings, [Part("slow", slow.running)], _guest, stop))
        await slow.starting.wait()
        stop.set()


def told_to_come_back(answer: httpx.Response) -> str:
    """Return by which rule."""
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["refresh"]
    rule: str = answer.json()["rule"]
    return rule


async def test_whoever_comes_when_enough_wait_for_the_start_is_told_to_come_back() -> None:
    entrance = Entrance(most=2)
    transport = httpx.ASGITransport(entrance)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        asked = [asyncio.create_task(client.get("/metrics")) for _ in range(5)]
        answers = asyncio.as_completed(asked, timeout=10)
        assert [told_to_come_back(await next(answers)) for _ in range(3)] == ["busy"] * 3
        assert (await client.get("/livez")).status_code == 200
        entrance.open(PlainTextResponse("in"))
        assert [(await answer).text for answer in answers] == ["in"] * 2


async def test_whoever_has_waited_long_for_the_start_is_told_to_come_back() -> None:
    entrance = Entrance(most=1, longest=0.05)
    transport = httpx.ASGITransport(entrance)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://hub") as client,
        asyncio.timeout(10),
    ):
        assert told_to_come_back(await client.get("/metrics")) == "starting"
        assert told_to_come_back(await client.get("/metrics")) == "starting"
        entrance.open(PlainTextResponse("in"))
        assert (await client.get("/metrics")).text == "in"
