"""How many dead letters are open: written, and not yet settled by anybody."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from sys import intern

import msgspec
from prometheus_client import Gauge

from bus.port import Bus, Stored
from schemas.errors import Unavailable
from schemas.topics import DEAD_LETTERS

LOOK_EVERY = 5.0
"""Seconds between two looks at the end of the topic."""
_CHUNK = 200
_REJECTED, _SETTLED = "yizhan.record.rejected", "yizhan.letter.settled"


class Letters:
    """Follows the topic from its beginning and keeps 8 bytes of each origin, the rule and topic."""

    def __init__(self, gauge: Gauge, every: float = LOOK_EVERY) -> None:
        self._gauge, self._every = gauge, every
        self._known: dict[int, tuple[str, str] | None] = {}
        self._open: Counter[tuple[str, str]] = Counter()

    async def follow(self, log: Bus) -> None:
        """Read for ever."""
        async with log.subscribe(None, [DEAD_LETTERS], lambda _: 0) as reader:
            while True:
                with suppress(Unavailable):
                    while batches := await reader.poll(0.1, _CHUNK):
                        for batch in batches:
                            self._take(batch.records)
                self._tell()
                await asyncio.sleep(self._every)

    def _take(self, records: Iterable[Stored]) -> None:
        for record in records:
            with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                self._hear(_head(record.value or b""))

    def _hear(self, head: "_Head") -> None:
        origin = int.from_bytes(blake2b(head.subject.encode(), digest_size=8).digest())
        if head.type == _REJECTED and origin not in self._known:
            about = intern(head.data.topic), intern(head.data.rule)
            self._known[origin] = about
            self._open[about] += 1
        elif head.type == _SETTLED:
            if (was := self._known.get(origin)) is not None:
                self._open[was] -= 1
            self._known[origin] = None

    def _tell(self) -> None:
        for about, count in self._open.items():
            self._gauge.labels(*about).set(count)


class _Data(msgspec.Struct):
    topic: str
    rule: str = ""


class _Head(msgspec.Struct):
    type: str
    subject: str
    data: _Data


_head = msgspec.json.Decoder(_Head).decode
