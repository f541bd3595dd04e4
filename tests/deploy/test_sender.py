"""How the sample is posted, to hubs that are made up for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo import history
from deploy.demo.event import Event
from deploy.demo.replay import Mark, replay
from deploy.demo.sender import BATCH, FLYING, Sender
from schemas.days import SHANGHAI
from schemas.errors import Unusable

NOW = datetime(2026, 11, 21, 15, tzinfo=SHANGHAI)
Answer = Callable[[list[Event]], Response]


def accepted(events: list[Event]) -> Response:
    items = [{"status": 202, "position": f"yizhan.results:0:{n}"} for n in range(len(events))]
    return JSONResponse(items, 207)


class Hub:
    """Keeps what was posted; `answers` come first, then everything is accepted."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.batches: list[list[Event]] = []
        self.flying = self.most = 0

    @asynccontextmanager
    async def sender(self) -> AsyncIterator[Sender]:
        routes = [Route("/v1/events", self._take, methods=["POST"])]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            yield Sender(client)

    async def _take(self, request: Request) -> Response:
        self.flying += 1
        self.most = max(self.most, self.flying)
        events = [json.loads(line) for line in (await request.body()).split(b"\n")]
        await asyncio.sleep(0)
        self.flying -= 1
        answer = self._answers.pop(0)(events) if self._answers else accepted(events)
        if answer.status_code == 207:
            self.batches.append(events)
        return answer


def busy(_: list[Event]) -> Response:
    return JSONResponse({"detail": "come back soon"}, 503)


def partly(events: list[Event]) -> Response:
    """The log failed in the middle: some items are to be sent again."""
    items = [{"status": 202, "position": "yizhan.results:0:1"}] * (len(events) - 1)
    return JSONResponse([*items, {"status": 503, "problem": {}}], 207)


def refused(events: list[Event]) -> Response:
    return JSONResponse([{"status": 422, "problem": {"detail": "no such node"}}] * len(events), 207)


async def test_a_busy_hub_is_asked_again_until_all_is_in() -> None:
    hub = Hub(busy, partly)
    events = history.recent(NOW)[:3]
    async with hub.sender() as sender:
        await sender.post(events)
    assert hub.batches[-1] == events
    assert sender.furthest == {("yizhan.results", 0): 2}


async def test_what_is_refused_ends_the_replay_with_its_reason() -> None:
    async with Hub(refused).sender() as sender:
        with pytest.raises(Unusable, match="no such node"):
            await sender.post(history.recent(NOW)[:1])


async def test_the_replay_sends_nodes_first_then_batches_a_few_at_a_time(tmp_path: Path) -> None:
    hub, told = Hub(), []
    async with hub.sender() as sender:
        await replay(sender, Mark(tmp_path, "log-1"), NOW, lambda *news: told.append(news))
    kinds = [{one["type"] for one in batch} for batch in hub.batches]
    assert kinds[0] == {"yizhan.node.opened"}
    assert "yizhan.node.opened" not in set().union(*kinds[1:])
    assert max(map(len, hub.batches)) == BATCH
    assert 1 < hub.most <= FLYING
    assert sum(map(len, hub.batches)) == sum(done for _, done, total in told if done == total)


async def test_another_start_sends_only_the_week_unless_the_log_is_another_one(
    tmp_path: Path,
) -> None:
    sent = []
    for log in ("log-1", "log-1", "log-2"):
        hub = Hub()
        async with hub.sender() as sender:
            await replay(sender, Mark(tmp_path, log), NOW, lambda *_: None)
        sent.append(sum(map(len, hub.batches)))
    week = len(history.recent(NOW))
    assert sent == [sent[0], week, sent[0]]
    assert sent[0] > week
