"""Facts per second of the real fold on both logs, beside a bare read and a stock Faust Table.

All in one run on one machine, so compare the ratios: `python -m bench.stats [--facts N]`.
The fold is the whole of stats: decode, judge, count, save slots and position; it is timed from its
first batch to its last. "Bare read" only counts the records of the same topic. The stock Table
counts facts per node in a stock Faust app, without judging, distinct enterprises or exactness.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

import bus
from bench.facts import fact
from bus import Bus, Partition
from deploy import kafka
from schemas.topics import RESULTS, TOPICS
from services.stats import Settings, running
from services.stats.worker import Worker


async def fill(log: Bus, facts: int) -> None:
    """Publish the facts."""
    for start in range(0, facts, 2000):
        await log.publish([fact(n) for n in range(start, min(start + 2000, facts))])


async def bare(log: Bus, facts: int) -> float:
    """Read everything and count it; return records per second."""
    seen, began = 0, 0.0
    async with log.subscribe(None, [RESULTS], lambda _: 0) as reader:
        while seen < facts:
            batches = await reader.poll(1.0)
            began = began or time.perf_counter()
            seen += sum(len(batch.records) for batch in batches)
    return facts / (time.perf_counter() - began)


async def fold(log: Bus, facts: int) -> float:
    """Run stats on an empty state until it stands at the end; return facts per second."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), group=f"bench-{time.monotonic_ns()}")
        async with asyncio.TaskGroup() as tasks, running(log, settings, tasks) as worker:
            began = await _reached(worker, 1)
            return facts / (await _reached(worker, facts) - began)


async def _reached(worker: Worker, facts: int) -> float:
    while sum(s.position for p, s in worker.sources.items() if p.topic == RESULTS.name) < facts:
        await asyncio.sleep(0.002)
    return time.perf_counter()


def stock(servers: str, facts: int) -> float:
    """Count `facts` in a stock Faust Table, in a process of its own; return facts per second."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.stock", servers, str(facts)],
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return float(done.stdout.split()[-1])


@contextmanager
def one_kafka(folder: Path) -> Iterator[str]:
    """Start one Kafka node and end it again."""
    started = asyncio.run(kafka.up(folder))
    try:
        yield started.bootstrap
    finally:
        asyncio.run(kafka.down(folder))


@asynccontextmanager
async def opened(url: str, facts: int) -> AsyncIterator[Bus]:
    """Open a log that holds the facts."""
    async with bus.connect(url, partitions=4) as log:
        if url.startswith("kafka"):
            await log.create(TOPICS)  # type: ignore[attr-defined]  # only Kafka's topics need making
        if not await log.highwater(Partition(RESULTS.name, 0)):
            await fill(log, facts)
        yield log


async def once(url: str, facts: int, measure: Callable[[Bus, int], Awaitable[float]]) -> float:
    """Open the log and measure."""
    async with opened(url, facts) as log:
        return await measure(log, facts)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=100_000)
    parser.add_argument("--stock", type=int, default=10_000, help="facts for the stock Table")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder, one_kafka(Path(folder) / "kafka") as servers:
        sqlite, real = f"sqlite:///{folder}/log.db", f"kafka://{servers}"
        figures: dict[str, list[float]] = {}
        for _ in range(asked.runs):
            for name, url in (("SQLite", sqlite), ("Kafka", real)):
                for what, measure in (("bare read", bare), ("fold", fold)):
                    rate = asyncio.run(once(url, asked.facts, measure))
                    figures.setdefault(f"{name}: {what}", []).append(rate)
            figures.setdefault("Kafka: stock Faust Table", []).append(stock(servers, asked.stock))
    show(figures, asked.facts, asked.runs)


def show(figures: dict[str, list[float]], facts: int, runs: int) -> None:
    """Print medians with their range, and ratios to the fold on Kafka."""
    table = Table("measure", "facts/s, median", "least", "most", "to the fold on Kafka")
    unit = statistics.median(figures["Kafka: fold"])
    for name, rates in figures.items():
        middle = statistics.median(rates)
        row = (f"{middle:,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}", f"{middle / unit:.2f}")
        table.add_row(name, *row)
    Console().print(f"{facts:,} facts, {runs} runs", table)


if __name__ == "__main__":
    main()
