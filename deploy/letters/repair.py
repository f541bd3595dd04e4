"""Repairing: what should have been written, judged as intake judges what it is sent."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bus import Bus, Partition, Record
from bus.keys import Principal, Role
from deploy.letters.book import Book, Filed, read
from deploy.letters.mend import changed
from deploy.letters.settle import Deed, settling
from deploy.letters.shelf import shelf
from deploy.letters.standing import standing
from deploy.letters.verdict import OPEN
from deploy.settings import read as settings
from schemas.asks import Ask
from schemas.days import SHANGHAI
from schemas.errors import Invalid
from schemas.registry import ROOT
from schemas.slots import Verdict, verdict
from schemas.topics import REQUESTS
from schemas.types import TYPES
from services import intake
from services.intake.cases import Cases
from services.intake.check import Admissible, Checks
from services.intake.draft import Draft
from services.intake.outlook import Outlook
from services.intake.parse import parse
from services.intake.view import View

_PATIENCE = 600.0
"""Seconds within which the registry and the requests must have been read."""
_OPERATOR = Principal("dead-letters", ROOT, Role.ADMIN, "whoever may write to the log itself")
Attributes = dict[str, Any]
Mend = Callable[[bytes], Attributes]
"""From the bytes that lie in the log to the event as it should have been."""


def of(file: Path | None, sets: Sequence[str]) -> Mend:
    """Return how to mend: by the whole event in a file ("-": stdin), or field by field."""
    if file is None:
        return lambda value: changed(value, sets)
    text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    return lambda _: parse(text)


async def repair(log: Bus, origin: str, mend: Mend) -> Filed | Record:
    """Publish what should have been there; a letter settled before is returned as it is."""
    async with settling(log) as settlement:
        filed = settlement.book.one(origin)
        if filed.settled:
            return filed
        record = await _mended(log, settlement.book, filed, mend)
        await settlement.do([Deed(filed, "repaired", record)])
        return record


async def rehearse(log: Bus, origin: str, mend: Mend) -> Filed | Record:
    """Return what `repair` would publish now."""
    book = await read(log)
    filed = book.one(origin)
    return filed if filed.settled else await _mended(log, book, filed, mend)


async def _mended(log: Bus, book: Book, filed: Filed, mend: Mend) -> Record:
    """Return the record to publish; raises Invalid and whatever else intake refuses with."""
    async with shelf(log, [filed]) as opened:
        values = await opened.values([filed])
    attributes = mend(values.get(filed.origin) or b"")
    name = attributes.get("type")
    kind = TYPES.get(name) if isinstance(name, str) else None
    if kind is None or kind.topic not in OPEN:
        raise Invalid("type", "type", f"no events of type {str(name)[:80]!r} are taken here")
    checks = Checks(log, timedelta(hours=settings(intake.Settings).future_hours))
    draft, now = Draft(kind, attributes), datetime.now(SHANGHAI)
    async with _outlook(log, asks=issubclass(kind.model, Ask)) as outlook:
        admitted = checks.admit(draft, _OPERATOR, outlook, now)
    await _standing(log, book, admitted)
    return admitted.record


async def _standing(log: Bus, book: Book, admitted: Admissible) -> None:
    """Refuse a statement that would not stand: it would be the next dead letter, or nothing."""
    event, (topic, route, _, _) = admitted.event, admitted.record
    place = Partition(topic.name, topic.partition(route, log.partitions(topic)))
    dead = {filed.of.offset for filed in book.values() if filed.of[:2] == place}
    found = await standing(log, place, (event.slot, event.subject), dead)
    answer = verdict(found, event.data.revision, event.content)
    if found is not None and answer is not Verdict.STANDS:
        detail = f"revision {found.revision} stands: {_WHY[answer]}"
        raise Invalid("data.revision", answer.value, detail)


_WHY = {
    Verdict.REPEAT: "it says the same, so dismiss the letter",
    Verdict.CONFLICT: "it says otherwise, so give the next revision",
    Verdict.SUPERSEDED: "it is newer, so give the revision after it, or dismiss the letter",
}


@asynccontextmanager
async def _outlook(log: Bus, *, asks: bool) -> AsyncIterator[Outlook]:
    """Read the registry, and for asks the requests; what no judgement needs is not read."""
    view, cases = View(log, _PATIENCE), Cases(log, _PATIENCE, 1)
    reading = [view.current()]
    following = [asyncio.create_task(view.tail.follow())]
    if asks:
        reading += [cases.current(n) for n in range(log.partitions(REQUESTS))]
        following.append(asyncio.create_task(cases.tail.follow()))
    read_all = asyncio.gather(*reading)
    try:
        both: list[asyncio.Future[Any]] = [read_all, *following]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in following:
            if task.done():
                await task
        await read_all
        yield Outlook(view, cases)
    finally:
        read_all.cancel()
        for task in following:
            task.cancel()
        await asyncio.gather(read_all, *following, return_exceptions=True)
