"""Records of the log by their positions: the bytes that dead letters are about."""

from base64 import b64decode
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

from bus import Bus, Partition, Position, Subscription
from deploy.letters.book import Filed
from schemas.codec import Event, decode
from schemas.reports import DeadLetter
from schemas.topics import DEAD_LETTERS, TOPICS

_NEAR = 500
"""Records: what lies closer than this is reached by reading on, the rest by a seek."""
_NAMED = {topic.name: topic for topic in TOPICS}

Value = bytes | None


class Shelf:
    """Looks records up; see `shelf`."""

    def __init__(self, log: Bus, reader: Subscription) -> None:
        self._log, self._reader = log, reader

    async def values(self, letters: Sequence[Filed]) -> dict[str, Value]:
        """Return by origin what the letters are about, where anybody still has it.

        The log's own bytes if they are those that the letter describes, else the letter's copy.
        """
        found = await self._records([filed.of for filed in letters])
        values = {
            f.origin: found[f.of] for f in letters if f.of in found and _fits(f.letter, found[f.of])
        }
        missing = [filed for filed in letters if filed.origin not in values]
        copies = await self._records([filed.at for filed in missing])
        for filed in missing:
            copy = _copy(copies.get(filed.at))
            if _fits(filed.letter, copy):
                values[filed.origin] = copy
        return values

    async def _records(self, wanted: Iterable[Position]) -> dict[Position, Value]:
        places: dict[Partition, set[int]] = defaultdict(set)
        for topic, partition, offset in wanted:
            if topic in _NAMED and partition < self._log.partitions(_NAMED[topic]):
                places[Partition(topic, partition)].add(offset)
        found: dict[Position, Value] = {}
        for place, offsets in places.items():
            found |= await self._of(place, offsets)
        return found

    async def _of(self, place: Partition, offsets: Collection[int]) -> dict[Position, Value]:
        end = await self._log.highwater(place)
        left = sorted(offset for offset in offsets if offset < end)
        found: dict[Position, Value] = {}
        while left:
            lease = self._reader.lease(place)
            if lease and not lease.position <= left[0] < lease.position + _NEAR:
                self._reader.seek(place, left[0])
            for batch in await self._reader.poll(1.0, _NEAR, among=[place]):
                for record in batch.records:
                    if record.offset in offsets:
                        found[Position(*place, record.offset)] = record.value
                left = [offset for offset in left if offset >= batch.next]
        return found


@asynccontextmanager
async def shelf(log: Bus, letters: Iterable[Filed]) -> AsyncIterator[Shelf]:
    """Open what these letters are about, and their own topic."""
    about = {filed.letter.topic for filed in letters} & _NAMED.keys()
    topics = [DEAD_LETTERS, *(_NAMED[name] for name in sorted(about - {DEAD_LETTERS.name}))]
    async with log.subscribe(None, topics, lambda _: 0) as reader:
        yield Shelf(log, reader)


def _fits(letter: DeadLetter, value: Value) -> bool:
    body = value or b""
    return len(body) == letter.size and sha256(body).hexdigest() == letter.sha256


def _copy(record: Value) -> Value:
    event = decode(record)
    if isinstance(event, Event) and isinstance(event.data, DeadLetter) and event.data.value:
        return b64decode(event.data.value)
    return None
