"""What the demo does beside the hub: the replay, then live traffic until it ends."""

import asyncio
from asyncio import Event
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx
import typer

from deploy.demo.callers import Callers
from deploy.demo.caseload import Caseload
from deploy.demo.edge import Edge
from deploy.demo.event import dice
from deploy.demo.firms import firms
from deploy.demo.live import Traffic
from deploy.demo.progress import progress
from deploy.demo.replay import Mark, replay
from deploy.demo.sender import Sender
from deploy.hub import Hub
from schemas.days import SHANGHAI
from schemas.errors import Unusable
from schemas.topics import RESULTS

TICK = 1.0
"""Seconds between two looks at what the stations have stated meanwhile."""

PATIENCE = 60
"""Seconds that each of these may take to show what was sent."""

SHOWN = ("/v1/counters", "/v1/facts/yizhan.service.delivered/yinhu.svc-000001")


@dataclass(frozen=True, slots=True)
class Play:
    """How fast live traffic is, and after how many seconds of it all ends (None: never)."""

    speed: float
    seconds: float | None

    async def __call__(self, hub: Hub, stop: Event) -> None:
        """Fill the hub, say that it is ready, and keep it busy."""
        await hub.ready()
        async with _client(hub) as client:
            sender = Sender(client)
            with progress() as told:
                mark = Mark(hub.data, hub.log.identity)
                await replay(sender, mark, datetime.now(SHANGHAI), told)
                await _shown(client, sender)
            typer.echo(
                f"The demo is ready: {hub.url}\n"
                f"The administrator's key is in {hub.admin}; Ctrl-C ends the demo."
            )
            try:
                async with asyncio.timeout(self.seconds):
                    await self._live(sender)
            except TimeoutError:
                stop.set()

    async def _live(self, sender: Sender) -> None:
        clock = asyncio.get_running_loop().time
        chance, of = dice("live", datetime.now(SHANGHAI)), firms()
        edge, traffic = Edge(), Traffic(chance, of)
        caseload = Caseload(sender.client, sender, Callers(chance, of), self.speed)
        began = last = clock()
        while True:
            now, elapsed = datetime.now(SHANGHAI), clock() - began
            passed, last = clock() - last, clock()
            stated = traffic.step(now, passed * self.speed)
            beats = edge.beats(now, elapsed)
            if out := edge.send(stated, elapsed):
                await sender.post_all(out, lambda _: None)
            await asyncio.gather(*map(sender.beat, beats))
            await caseload.step(now, passed)
            await asyncio.sleep(TICK)


@asynccontextmanager
async def _client(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    try:
        key = hub.admin.read_text().strip()
    except FileNotFoundError:
        raise Unusable(
            f"the demo needs the first administrator's key, and {hub.admin} is gone: "
            "name another folder with --data"
        ) from None
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=hub.url, headers=headers, timeout=30) as client:
        yield client


async def _shown(client: httpx.AsyncClient, sender: Sender) -> None:
    """Wait until the counters and the index of facts hold everything that was sent."""
    for (topic, partition), offset in sender.furthest.items():
        if topic == RESULTS.name:
            for path in SHOWN:
                after = {"after": f"{topic}:{partition}:{offset}", "wait": str(PATIENCE)}
                answer = await client.get(path, params=after, timeout=2 * PATIENCE)
                if not answer.is_success:
                    raise Unusable(f"{path} does not show the replay: {answer.text[:300]}")
