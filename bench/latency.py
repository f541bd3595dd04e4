"""From POST to the changed number on a wall: latency on both logs, beside a bare produce→consume.

`python -m bench.latency [--rate 200] [--seconds 30]`: real processes, rows published every 100 ms.
One client posts facts at a steady rate; another follows /v1/live. The fact that was posted as the
n-th is on the wall when the number has grown by n.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import structlog
from rich.console import Console
from rich.table import Table

import bus
from bench.facts import fact
from bench.stats import one_kafka
from schemas.topics import RESULTS, TOPICS
from tests.system.people import STATED, register
from tests.system.process import Process, processes, yizhan

STATION = "yinhu"
WARM = 15
"""Seconds that do not count: a Kafka just started is busy compiling itself for about that long."""
Latencies = list[float]


@contextmanager
def embedded(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Run a hub; yield the URLs of intake and screens, and a key."""
    hub = Process(folder / "data", "up")
    with processes(hub):
        yield hub.url, hub.url, (hub.data / "admin.key").read_text().strip()


@contextmanager
def on_kafka(folder: Path, servers: str) -> Iterator[tuple[str, str, str]]:
    """Run separate services on Kafka; yield the same."""
    log, data = f"kafka://{servers}", folder / "data-kafka"
    yizhan("topics", "create", "--bus", log)
    key = yizhan("keys", "issue", "--role", "admin", "--data", str(data)).stdout.strip()
    parts = [Process(data, part, bus=log) for part in ("intake", "stats", "screens")]
    with processes(*parts):
        yield parts[0].url, parts[2].url, key


async def walls(urls: tuple[str, str, str], rate: int, seconds: int) -> Latencies:
    """Return the seconds from each POST to the number that includes it."""
    intake, screens, key = urls
    posted: Latencies = []
    reached: Latencies = []
    following = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        follow = tasks.create_task(_follow(screens, rate * seconds, reached, following))
        await following.wait()
        await _post(intake, key, rate, seconds, posted)
        await follow
    return [seen - sent for sent, seen in zip(posted, reached, strict=True)]


async def _follow(url: str, facts: int, reached: Latencies, following: asyncio.Event) -> None:
    """Note when the number of services has grown by one, two, … `facts`."""
    base: int | None = None
    async with httpx.AsyncClient(timeout=60.0) as http:
        async for value in _values(http, url):
            now = time.perf_counter()
            base = value if base is None else base
            following.set()
            reached += [now] * (value - base - len(reached))
            if len(reached) >= facts:
                return


async def _values(http: httpx.AsyncClient, url: str) -> AsyncIterator[int]:
    """Yield the number of services whenever the live document tells it."""
    async with http.stream("GET", f"{url}/v1/live", params={"node": "hub"}) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                document = json.loads(line[5:])
                measure = document.get("all", {}).get("services_delivered", {})
                if "value" in measure:
                    yield measure["value"]


async def _post(url: str, key: str, rate: int, seconds: int, posted: Latencies) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    began = time.perf_counter()
    async with httpx.AsyncClient(timeout=30.0, headers=headers) as http, asyncio.TaskGroup() as t:
        for n in range(rate * seconds):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            t.create_task(_one(http, url, n, posted))


async def _one(http: httpx.AsyncClient, url: str, serial: int, posted: Latencies) -> None:
    body = {
        "id": f"{STATION}.{serial}",
        "node_id": STATION,
        "enterprise_id": f"ent-{serial % 2400}",
        "elements": ["STD"],
        "mode": "diagnosis",
        **STATED,
    }
    posted.append(time.perf_counter())
    answer = await http.post(f"{url}/v1/services", json=body)
    answer.raise_for_status()


async def bare(url: str, rate: int, seconds: int) -> Latencies:
    """Return the seconds from publishing a record to reading it, with nothing between."""
    sent: dict[bytes, float] = {}
    took: Latencies = []
    async with bus.connect(url, partitions=4) as log:
        await log.create(TOPICS)  # type: ignore[attr-defined]  # the port leaves making to deployment
        async with (
            log.subscribe(None, [RESULTS], lambda _: 0) as reader,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(_produce(log, rate, seconds, sent))
            while len(took) < rate * seconds:
                for batch in await reader.poll(1.0):
                    now = time.perf_counter()
                    took += [now - sent[record.value or b""] for record in batch.records]
    return took


async def _produce(log: bus.Bus, rate: int, seconds: int, sent: dict[bytes, float]) -> None:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for n in range(rate * seconds):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            record = fact(n)
            sent[record.value or b""] = time.perf_counter()
            tasks.create_task(log.publish([record]))


def measured(
    urls: tuple[str, str, str], measure: Callable[[tuple[str, str, str]], Awaitable[Latencies]]
) -> Latencies:
    """Register the station, then measure."""
    register(urls[0], urls[2], STATION)

    async def run() -> Latencies:
        return await measure(urls)

    return asyncio.run(run())


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="facts per second")
    parser.add_argument("--seconds", type=int, default=30, help=f"the first {WARM} do not count")
    asked = parser.parse_args()
    rate, seconds = asked.rate, asked.seconds
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found: dict[str, Latencies] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found["SQLite: bare"] = asyncio.run(bare(f"sqlite:///{folder}/bare.db", rate, seconds))
        with embedded(folder) as urls:
            found["SQLite: POST to wall"] = measured(urls, lambda u: walls(u, rate, seconds))
        with one_kafka(folder / "bare") as servers:
            found["Kafka: bare"] = asyncio.run(bare(f"kafka://{servers}", rate, seconds))
        with one_kafka(folder / "kafka") as servers, on_kafka(folder, servers) as urls:
            found["Kafka: POST to wall"] = measured(urls, lambda u: walls(u, rate, seconds))
    show(found, rate)


def show(found: dict[str, Latencies], rate: int) -> None:
    """Print percentiles in milliseconds."""
    table = Table("measure", "facts", "p50 ms", "p90 ms", "p99 ms", "most ms")
    for name, all_of_them in found.items():
        latencies = all_of_them[WARM * rate :]
        cuts = statistics.quantiles(latencies, n=100)
        ms = (f"{1000 * v:.1f}" for v in (cuts[49], cuts[89], cuts[98], max(latencies)))
        table.add_row(name, f"{len(latencies):,}", *ms)
    Console().print(f"{rate} facts/s", table)


if __name__ == "__main__":
    main()
