"""`yizhan topics create` and `describe`."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Protocol, runtime_checkable

import typer
from rich.console import Console
from rich.table import Table

import bus
from bus import Bus, Partition
from bus.ends import ends
from deploy.log import DATA, Data, Url, address, existing
from schemas.errors import Unusable
from schemas.topics import TOPICS, Topic

app = typer.Typer(help="The topics of the log.")

Partitions = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1000,
        help="Partitions of each spread topic, for ever.",
        show_default="4 embedded, 12 on Kafka",
    ),
]


@runtime_checkable
class Maker(Protocol):
    """A log that can make topics."""

    async def create(self, topics: Sequence[Topic]) -> None:
        """Make those that are missing."""


@app.command()
def create(url: Url = None, data: Data = DATA, partitions: Partitions = None) -> None:
    """Make the topics that are missing, each kept as it should be, and show them all."""
    asyncio.run(_create(address(url, data), partitions))


@app.command()
def describe(url: Url = None, data: Data = DATA) -> None:
    """Show all topics: partitions, how long records are kept, and how many were written."""
    asyncio.run(_describe(existing(url, data)))


async def _create(url: str, partitions: int | None) -> None:
    async with bus.connect(url, partitions=partitions) as log:
        if isinstance(log, Maker):
            await log.create(TOPICS)
        await _show(log)


async def _describe(url: str) -> None:
    async with bus.connect(url) as log:
        await _show(log)


async def _show(log: Bus) -> None:
    table = Table("topic", "partitions", "kept", "written", title=f"log {log.identity}")
    for topic in TOPICS:
        table.add_row(topic.name, *await _row(log, topic))
    Console().print(table)


async def _row(log: Bus, topic: Topic) -> tuple[str, str, str]:
    try:
        count = log.partitions(topic)
    except Unusable:
        return "missing", topic.kept.value, ""
    found = await ends(log, [Partition(topic.name, n) for n in range(count)])
    return str(count), topic.kept.value, str(sum(found.values()))
