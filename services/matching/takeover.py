"""Taking a partition over: fence whoever decided before, then learn what he decided.

Nothing is decided here. What the last holder had under way is there as a whole, or not at all.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog

from bus.beside import Beside
from bus.port import Batch, Bus, Partition
from schemas.codec import Decode, Event, Flaw, decoder
from schemas.decisions import Offer
from schemas.errors import Mismatch
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS, Topic
from services.matching.book import Book
from services.matching.inbox import Inbox

_log = structlog.get_logger(__name__)
INPUTS = (REQUESTS, REFERRALS)
"""What is decided about, in partitions of the same numbers."""


class Taken(NamedTuple):
    """A book as it was left; `moved` is where the log says its owner stands."""

    book: Book
    moved: Mapping[Partition, int]
    skipped: int


class Lost(NamedTuple):
    """A record that is no decision, and why."""

    offset: int
    flaw: Flaw


def owner(number: int) -> str:
    """Return the name under which a partition is decided."""
    return f"matching-{number}"


def name(partition: Partition) -> str:
    """Return what a partition is called in pool.advanced."""
    return f"{partition.topic}:{partition.number}"


def decoding(log: Bus, topic: Topic, number: int) -> Decode:
    """Return the decoder of one partition."""
    return decoder(topic, number, log.partitions(topic))


async def take_over(log: Bus, number: int, inbox: Inbox, thread: Beside) -> Taken:
    """Claim a partition and read all that was decided there, which comes in by `inbox` from 0.

    What cannot be read, nobody can read: everybody passes over it, and so does whoever takes over.
    Raises Mismatch when the log's positions are not those of the last decision.
    """
    await log.claim(owner(number))
    end = await log.highwater(Partition(ASSIGNMENTS.name, number))
    book, read = Book(), decoding(log, ASSIGNMENTS, number)
    position = skipped = 0
    while position < end:
        await inbox.heard(None)
        for batch in inbox.take():
            lost = await thread.run(_fold, book, batch, read)
            position, skipped = batch.next, skipped + len(lost)
            if lost:
                _tell(number, lost)
    return Taken(book, await _agreed(log, number, book), skipped)


def _fold(book: Book, batch: Batch, read: Decode) -> list[Lost]:
    """Apply a batch of decisions; return which records are none."""
    lost: list[Lost] = []
    for record in batch.records:
        event = read(record.value)
        flaw = _unknown(book, event) if isinstance(event, Event) else event
        if isinstance(event, Event) and flaw is None:
            book.apply(event.kind, event.subject, event.data)
        elif flaw is not None:
            lost.append(Lost(record.offset, flaw))
    book.due()  # drops alarms that are out of date: here, for they would hold up the loop
    return lost


def _unknown(book: Book, event: Event) -> Flaw | None:
    """Return what is wrong with an assignment whose request could not be read."""
    if isinstance(event.data, Offer) and event.data.request_id not in book.cases:
        return Flaw("request", "data.request_id", f"{event.data.request_id} is not there")
    return None


def _tell(number: int, lost: Sequence[Lost]) -> None:
    """Say loudly that some of what only matching writes is nothing that can be read."""
    offset, flaw = lost[0]
    first = {"offset": offset, **flaw._asdict()}
    _log.error("decisions that cannot be read", partition=number, count=len(lost), **first)


async def _agreed(log: Bus, number: int, book: Book) -> Mapping[Partition, int]:
    """Return where the owner stands; a Kafka may forget it in time, but must not say otherwise."""
    moved = await log.positions(owner(number))
    for place, at in moved.items():
        if at != (told := book.positions.get(name(place), 0)):
            raise Mismatch(
                f"{owner(number)} stands at {at} of {name(place)}, but its last decision says "
                f"{told}: the log was written by something else, or is not whole"
            )
    return moved
