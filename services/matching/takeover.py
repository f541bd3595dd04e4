"""Taking a partition over: fence whoever decided before, then learn what he decided.

Nothing is decided here. What the last holder had under way is there as a whole, or not at all.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from bus.port import Batch, Bus, Partition
from schemas.codec import Decode, Event, decoder
from schemas.errors import Mismatch
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS, Topic
from services.matching.book import Book
from services.matching.inbox import Inbox

INPUTS = (REQUESTS, REFERRALS)
"""What is decided about, in partitions of the same numbers."""


class Taken(NamedTuple):
    """A book as it was left; `moved` is where the log says its owner stands."""

    book: Book
    moved: Mapping[Partition, int]
    skipped: int


def owner(number: int) -> str:
    """Return the name under which a partition is decided."""
    return f"matching-{number}"


def name(partition: Partition) -> str:
    """Return what a partition is called in pool.advanced."""
    return f"{partition.topic}:{partition.number}"


def decoding(log: Bus, topic: Topic, number: int) -> Decode:
    """Return the decoder of one partition."""
    return decoder(topic, number, log.partitions(topic))


async def take_over(log: Bus, number: int, inbox: Inbox) -> Taken:
    """Claim a partition and read all that was decided there, which comes in by `inbox` from 0.

    Raises Mismatch when the log's positions are not those of the last decision.
    """
    await log.claim(owner(number))
    end = await log.highwater(Partition(ASSIGNMENTS.name, number))
    book, read = Book(), decoding(log, ASSIGNMENTS, number)
    position = skipped = 0
    while position < end:
        await inbox.heard(None)
        for batch in inbox.take():
            skipped += await asyncio.to_thread(_fold, book, batch, read)
            position = batch.next
    return Taken(book, await _agreed(log, number, book), skipped)


def _fold(book: Book, batch: Batch, read: Decode) -> int:
    """Apply a batch of decisions; return how many records are none."""
    skipped = 0
    for record in batch.records:
        event = read(record.value)
        if isinstance(event, Event):
            book.apply(event.kind, event.subject, event.data)
        else:
            skipped += 1
    return skipped


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
