"""What stands in one slot, by one look through its partition."""

from collections.abc import Collection
from typing import NamedTuple

from bus import Bus, Partition
from deploy.log import stored
from schemas.codec import Event, decoder
from schemas.fields import Stated
from schemas.slots import Verdict, verdict
from schemas.topics import named


class Statement(NamedTuple):
    """The revision that stands, and the hash of what it says."""

    revision: int
    content: str


async def standing(
    log: Bus, place: Partition, slot: tuple[str, str], dead: Collection[int]
) -> Statement | None:
    """Return what stands in `slot`, (type, subject); the records at `dead` are passed over.

    Those became dead letters when the fold came to them, whatever could be read of them today.
    """
    topic = named(place.topic)
    read = decoder(topic, place.number, log.partitions(topic))
    mark = slot[1].encode()
    found: Statement | None = None
    async for _, record in stored(log, [place]):
        # Most records are about something else: who looks at the bytes first reads few of them.
        if record.offset in dead or mark not in (record.value or b""):
            continue
        event = read(record.value)
        if isinstance(event, Event) and (event.slot, event.subject) == slot:
            found = _after(found, event)
    return found


def _after(found: Statement | None, event: Event) -> Statement | None:
    if not isinstance(event.data, Stated):
        return found
    revision = event.data.revision
    if verdict(found, revision, event.content) is Verdict.STANDS:
        return Statement(revision, event.content)
    return found
