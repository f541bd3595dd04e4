"""`yizhan matching explain`: every decision about one request, in words."""

import asyncio
from typing import Annotated

import typer

import bus
from deploy.log import DATA, Data, Url, existing, records
from deploy.visible import visible
from schemas.codec import Event, decode
from schemas.errors import Unusable
from schemas.topics import ASSIGNMENTS

Request = Annotated[str, typer.Argument(help="The id of a request, POOL.NAME.")]


def explain(request: Request, url: Url = None, data: Data = DATA) -> None:
    """Tell every decision about REQUEST in order.

    Who was chosen and by which parts of the score, who else could have served, who was passed over
    and why; why nobody could, and what would help.
    """
    from services.matching.story import told

    story = asyncio.run(_read(existing(url, data), request))
    if not story:
        raise Unusable(f"nothing has been decided about {request} on this log")
    for line in told(story):
        typer.echo(visible(line))


async def _read(url: str, request: str) -> list[Event]:
    """Return what was decided about a request, at its own pool and at those it was referred to."""
    from services.matching.story import about

    found: list[tuple[int, Event]] = []
    async with bus.connect(url) as log:
        async for _, record in records(log, ASSIGNMENTS):
            if request.encode() not in (record.value or b""):  # decoding costs a hundred times more
                continue
            event = decode(record.value)
            if isinstance(event, Event) and about(request, event):
                found.append((record.timestamp, event))
    return [event for _, event in sorted(found, key=lambda one: one[0])]
