"""The requests under way, and how they end with the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from deploy.requests import Requests
from deploy.server import address, listening, serve


class Caller:
    """Somebody who calls and waits."""

    def __init__(self, path: str) -> None:
        self._scope: Scope = {
            "type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"",
        }  # fmt: skip
        self.heard: list[Message] = []
        self.answered = asyncio.Event()

    async def call(self, app: Requests) -> None:
        await app(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await asyncio.get_running_loop().create_future()  # never goes away
        raise AssertionError

    async def _send(self, message: Message) -> None:
        self.heard.append(message)
        self.answered.set()


def app(work: asyncio.Event, metrics: CollectorRegistry) -> Requests:
    async def quick(_: Request) -> Response:
        return PlainTextResponse("done")

    async def stream(_: Request) -> Response:
        async def forever() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await asyncio.get_running_loop().create_future()

        return StreamingResponse(forever(), media_type="text/event-stream")

    async def slow(_: Request) -> Response:
        work.set()
        await asyncio.get_running_loop().create_future()
        return PlainTextResponse("never")

    routes = [Route("/quick/{n}", quick), Route("/stream", stream), Route("/slow", slow)]
    return Requests(Starlette(routes=routes), metrics)


@asynccontextmanager
async def under_way(requests: Requests, caller: Caller) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(caller.call(requests))
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_stream_ends_properly_when_the_process_ends() -> None:
    requests, caller = app(asyncio.Event(), CollectorRegistry()), Caller("/stream")
    async with under_way(requests, caller) as task:
        await caller.answered.wait()
        await requests.end()
        await task
    assert caller.heard[0]["status"] == 200
    assert caller.heard[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_what_takes_too_long_is_told_to_come_back() -> None:
    work = asyncio.Event()
    requests, caller = app(work, CollectorRegistry()), Caller("/slow")
    async with under_way(requests, caller) as task:
        await work.wait()
        await requests.end()
        await task
    assert caller.heard[0]["status"] == 503
    assert (b"retry-after", b"1") in caller.heard[0]["headers"]


async def test_an_end_that_is_cut_short_tells_whoever_waits_to_come_back() -> None:
    work = asyncio.Event()
    requests, caller = app(work, CollectorRegistry()), Caller("/slow")
    async with under_way(requests, caller) as task:
        await work.wait()
        ending = asyncio.create_task(requests.end())
        await asyncio.sleep(0)
        ending.cancel()
        await task
    assert caller.heard[0]["status"] == 503


async def test_who_comes_after_the_end_is_told_to_come_back() -> None:
    requests, caller = app(asyncio.Event(), CollectorRegistry()), Caller("/quick/1")
    await requests.end()
    await caller.call(requests)
    assert caller.heard[0]["status"] == 503
    assert (b"retry-after", b"1") in caller.heard[0]["headers"]


async def test_a_fault_of_the_process_tells_whoever_waits_to_come_back() -> None:
    work = asyncio.Event()
    with listening("127.0.0.1", 0) as opened:
        async with asyncio.timeout(20), httpx.AsyncClient(base_url=address(opened)) as http:
            requests = app(work, CollectorRegistry())
            serving = asyncio.create_task(serve(requests, opened, asyncio.Event()))
            asking = asyncio.create_task(http.get("/slow"))
            await work.wait()
            serving.cancel()
            answer = await asking
            with suppress(asyncio.CancelledError):
                await serving
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_request_that_is_cancelled_by_its_server_stays_cancelled() -> None:
    requests, caller = app(work := asyncio.Event(), CollectorRegistry()), Caller("/slow")
    async with under_way(requests, caller) as task:
        await work.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
    assert caller.heard == []


async def test_answers_are_counted_by_route_and_never_by_what_callers_made_up() -> None:
    metrics = CollectorRegistry()
    requests = app(asyncio.Event(), metrics)
    for path in ("/quick/1", "/quick/2", "/nowhere"):
        await Caller(path).call(requests)
    counts = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in metrics.collect()
        for sample in family.samples
        if sample.name == "yizhan_http_seconds_count"
    }
    assert counts == {("/quick/{n}", "200"): 2, ("", "404"): 1}
