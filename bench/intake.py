"""How many posts intake takes, beside the same server that writes them nowhere.

`python -m bench.intake` starts a real server for each of the two, one after another in turns, and
loads it over 64 connections with single posts and with batches of 100. The ratio tells what the
log costs; everything runs on this machine, so the load takes its share of it as well.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import cast

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.table import Table

from bus import connect
from bus.keys import Keys, Role
from bus.port import Batch, Bus, Partition, Position, Record
from schemas.topics import Topic
from services.intake import Settings, problems, running

CONNECTIONS = 64
BATCH = 100
FACT = {
    "revision": 1, "node_id": "hub", "enterprise_id": "ent-000001", "elements": ["STD", "TST"],
    "mode": "diagnosis", "occurred_at": "2023-05-06T09:30:00+08:00",
    "actor_role": "staff", "actor_ref": "s-17",
}  # fmt: skip


class Nowhere:
    """A log that forgets, as far as intake uses one: what intake costs by itself."""

    def partitions(self, topic: Topic) -> int:
        """Return as many as the embedded log has."""
        return 4 if topic.spread else 1

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        """Keep nothing."""
        return [Position(record.topic.name, 0, 0) for record in records]

    async def highwater(self, _partition: Partition) -> int:
        """Be empty."""
        return 0

    @asynccontextmanager
    async def subscribe(self, *_: object) -> AsyncIterator["Nowhere"]:
        """Read from here."""
        yield self

    async def poll(self, *_: object) -> list[Batch]:
        """Wait for ever."""
        return await asyncio.Future()


@asynccontextmanager
async def _log(folder: Path, kind: str) -> AsyncIterator[Bus]:
    if kind == "nowhere":
        yield cast("Bus", Nowhere())
        return
    async with connect(f"sqlite:///{folder / 'log.db'}") as log:
        yield log


async def serve(folder: Path, port: int, kind: str) -> None:
    """Be the server."""
    app = FastAPI()
    problems(app)
    with Keys.open(folder / "keys.db") as keys:
        async with (
            _log(folder, kind) as log,
            asyncio.TaskGroup() as tasks,
            running(log, keys, Settings(), tasks) as intake,
        ):
            app.include_router(intake.router)
            config = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
            await uvicorn.Server(config).serve()


@contextmanager
def server(kind: str) -> Iterator[tuple[int, str]]:
    """Run a server in a process of its own; yield its port and a key."""
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        with Keys.open(Path(name) / "keys.db") as keys:
            key = keys.issue("hub", Role.WRITER)
        command = [sys.executable, "-m", "bench.intake", "--serve", name, str(port), kind]
        with subprocess.Popen(command) as process:
            try:
                _await_port(port, process)
                yield port, key
            finally:
                process.terminate()


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the server did not start")


def _request(path: str, media: str, key: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def single(key: str, number: int) -> bytes:
    """Return a post of one service."""
    body = json.dumps({**FACT, "id": f"hub.svc-{number}"}).encode()
    return _request("/v1/services", "application/json", key, body)


def batch(key: str, number: int) -> bytes:
    """Return a post of a hundred services."""
    items = [
        {
            "specversion": "1.0", "id": f"{number}-{i}", "source": "/nodes/hub",
            "type": "yizhan.service.delivered", "subject": f"hub.svc-{number}-{i}",
            "time": "2023-05-06T10:00:00+08:00", "datacontenttype": "application/json",
            "data": FACT,
        }
        for i in range(BATCH)
    ]  # fmt: skip
    media = "application/cloudevents-batch+json"
    return _request("/v1/events", media, key, json.dumps(items).encode())


async def load(port: int, posts: Callable[[int], bytes], seconds: float) -> list[float]:
    """Post over all connections for a time; return how long each answer took."""
    numbers, took = count(), list[float]()
    end = time.perf_counter() + seconds

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (start := time.perf_counter()) < end:
            writer.write(posts(next(numbers)))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head[9:12] in {b"202", b"207"}, head
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            answer = await reader.readexactly(int(length))
            assert b'"problem"' not in answer, answer[:500]
            took.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return took


def measure(kind: str, seconds: float) -> dict[str, tuple[float, float]]:
    """Return events/s and the median answer in milliseconds for both ways of posting."""
    found = {}
    with server(kind) as (port, key):
        for name, build, events in (("single", single, 1), ("batches of 100", batch, BATCH)):
            asyncio.run(load(port, lambda n, build=build: build(key, n), 0.5))  # type: ignore[misc]
            took = asyncio.run(load(port, lambda n, build=build: build(key, -n), seconds))  # type: ignore[misc]
            found[name] = len(took) * events / seconds, median(took) * 1000
    return found


def main() -> None:
    """Measure, or serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=3, metavar=("DIR", "PORT", "KIND"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    if arguments.serve:
        folder, port, kind = arguments.serve
        asyncio.run(serve(Path(folder), int(port), kind))
        return
    rounds = [
        {kind: measure(kind, arguments.seconds) for kind in ("nowhere", "sqlite")}
        for _ in range(arguments.rounds)
    ]
    table = Table("posts", "log", "events/s", "median ms", "ratio")
    for name in ("single", "batches of 100"):
        rates = {k: median(r[k][name][0] for r in rounds) for k in ("nowhere", "sqlite")}
        for kind, rate in rates.items():
            wait = median(r[kind][name][1] for r in rounds)
            ratio = f"{rate / rates['nowhere']:.2f}"
            table.add_row(name, kind, f"{rate:,.0f}", f"{wait:.1f}", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
