"""Settling: whatever replaces a record and the word that it was settled, in one atomic step.

Whoever settles claims the owner first and reads what was settled after that. So of two at once
one is fenced, and what a killed one has done is known to the next: nothing is put back twice.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from typing import Literal, NamedTuple

from uuid_utils import uuid7

from bus import Bus, Record
from deploy.letters.book import Book, Filed, read
from schemas.codec import encode
from schemas.days import SHANGHAI
from schemas.errors import Fenced, Unavailable, Unusable
from schemas.topics import DEAD_LETTERS

OWNER = "dead-letters"
_MANY, _MUCH = 250, 8_000_000
"""The most letters, and about how many of their bytes, that one step settles."""


class Deed(NamedTuple):
    """What is done about a letter; `record` is what goes into the log, None: nothing."""

    filed: Filed
    how: Literal["replayed", "repaired", "dismissed"]
    record: Record | None = None
    reason: str | None = None


class Settling:
    """The right to settle, for as long as nobody else claims it; `book` is what it began with."""

    def __init__(self, log: Bus, book: Book) -> None:
        self._log, self.book = log, book

    async def do(self, deeds: Sequence[Deed]) -> None:
        """Do these, all or none."""
        outputs = [record for deed in deeds for record in _records(deed)]
        if outputs:
            await self._log.advance(OWNER, {}, outputs)


@asynccontextmanager
async def settling(log: Bus) -> AsyncIterator[Settling]:
    """Claim the right to settle; raises Unusable when it is lost, or the log is."""
    try:
        await log.claim(OWNER)
        yield Settling(log, await read(log))
    except Fenced:
        raise Unusable(
            "another command settles dead letters now: what this one did is done, and repeating "
            "it does the rest"
        ) from None
    except Unavailable as error:
        raise Unusable(
            f"{error}; no letter is settled twice: repeat the command to do the rest"
        ) from error


def chunks(letters: Iterable[Filed]) -> Iterator[list[Filed]]:
    """Divide letters into steps of bounded size."""
    chunk: list[Filed] = []
    size = 0
    for filed in letters:
        if chunk and (len(chunk) == _MANY or size + filed.letter.size > _MUCH):
            yield chunk
            chunk, size = [], 0
        chunk.append(filed)
        size += filed.letter.size
    if chunk:
        yield chunk


def _records(deed: Deed) -> Iterator[Record]:
    filed, how, record, reason = deed
    if record is not None:
        yield record
    written = record and sha256(record.value or b"").hexdigest()
    data = {
        "topic": filed.letter.topic,
        "partition": filed.letter.partition,
        "offset": filed.letter.offset,
        "how": how,
        "reason": reason,
        "sha256": written,
    }
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": "/dead-letters",
        "type": "yizhan.letter.settled",
        "subject": filed.origin,
        "time": datetime.now(SHANGHAI).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": {name: value for name, value in data.items() if value is not None},
    }
    yield Record(DEAD_LETTERS, filed.origin, filed.origin.encode(), encode(event))
