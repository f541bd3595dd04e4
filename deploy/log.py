"""The log as a command of its own opens it: by its address, or in a data folder."""

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bus import Bus, Partition, Stored
from bus.ends import ends, places
from deploy.folder import LOG
from schemas.errors import Unusable
from schemas.topics import Topic, named

Url = Annotated[
    str | None,
    typer.Option("--bus", envvar="YIZHAN_BUS", help="The log, if it is not DATA/log.db."),
]
Data = Annotated[
    Path, typer.Option(envvar="YIZHAN_DATA", help="Folder of the embedded log.", file_okay=False)
]
DATA = Path("data")


def address(url: str | None, data: Path) -> str:
    """Return where the log is."""
    return url or f"sqlite:///{data / LOG}"


def file(url: str) -> Path | None:
    """Return the file of an embedded log, None for any other kind of address."""
    place = url.removeprefix("sqlite:///")
    return Path(place) if place not in {url, ""} else None


def made(place: Path) -> bool:
    """Whether there is a log at `place`: opening an empty file would make one."""
    return place.is_file() and place.stat().st_size > 0


def existing(url: str | None, data: Path) -> str:
    """Return where the log is.

    Unusable when there is none, for a look must not make one, or when it cannot be written: also
    who only reads a file with a write-ahead log must write beside it.
    """
    found = address(url, data)
    place = file(found)
    if place is None:
        return found
    if not made(place):
        raise Unusable(f"there is no log at {place}: name its folder with --data, or --bus")
    if not (os.access(place, os.W_OK) and os.access(place.absolute().parent, os.W_OK)):
        raise Unusable(
            f"{place} cannot be looked at where it cannot be written: copy its folder to one that "
            "can be, or ask as its owner"
        )
    return found


async def records(log: Bus, topic: Topic) -> AsyncIterator[tuple[Partition, Stored]]:
    """Yield all records that `topic` holds now."""
    async for one in stored(log, places(log, [topic])):
        yield one


async def stored(log: Bus, places: Sequence[Partition]) -> AsyncIterator[tuple[Partition, Stored]]:
    """Yield all records that these partitions hold now."""
    until = await ends(log, places)
    topics = [named(name) for name in sorted({place.topic for place in places})]
    async with log.subscribe(None, topics, lambda _: 0) as reader:
        behind = {place for place, end in until.items() if end}
        while behind:
            for batch in await reader.poll(1.0, among=behind):
                for record in batch.records:
                    yield batch.source, record
                if batch.next >= until[batch.source]:
                    behind.discard(batch.source)
