"""The log as a command of its own opens it: by its address, or in a data folder."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer

from bus import Bus, Partition, Stored
from deploy.folder import LOG
from schemas.errors import Unusable
from schemas.topics import Topic

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


def existing(url: str | None, data: Path) -> str:
    """Return where the log is; Unusable when there is none: a look must not make one."""
    if not url and not (data / LOG).is_file():
        raise Unusable(f"there is no log in {data}: name its folder with --data, or --bus")
    return address(url, data)


async def records(log: Bus, topic: Topic) -> AsyncIterator[tuple[Partition, Stored]]:
    """Yield all records that `topic` holds now."""
    places = [Partition(topic.name, n) for n in range(log.partitions(topic))]
    ends = {place: await log.highwater(place) for place in places}
    async with log.subscribe(None, [topic], lambda _: 0) as reader:
        behind = {place for place, end in ends.items() if end}
        while behind:
            for batch in await reader.poll(1.0, among=behind):
                for record in batch.records:
                    yield batch.source, record
                if batch.next >= ends[batch.source]:
                    behind.discard(batch.source)
