"""The queue of one partition on Kafka, in front of a log that fails and comes back."""

import asyncio
from collections.abc import Iterator

import pytest

from bus.kafka.lane import Lane
from bus.port import Record
from schemas.errors import Unavailable
from schemas.topics import RESULTS


class Log:
    """Takes records once it is let, or fails."""

    def __init__(self) -> None:
        self.attempts, self.end, self.away = 0, 0, False
        self.gate = asyncio.Event()

    async def send(self, records: Iterator[Record]) -> tuple[int, int]:
        self.attempts += 1
        count = len(list(records))
        await self.gate.wait()
        if self.away:
            raise Unavailable("the log takes nothing")
        base, self.end = self.end, self.end + count
        return base, count


def one(name: str) -> list[Record]:
    return [Record(RESULTS, 0, b"", name.encode())]


async def test_what_waits_behind_a_batch_that_fails_is_refused_with_it() -> None:
    log = Log()
    lane, log.away = Lane(log.send), True
    waiting = [lane.put(one(name)) for name in "abc"]
    log.gate.set()
    for parcel in waiting:
        with pytest.raises(Unavailable):
            await parcel
    assert log.attempts == 1


async def test_after_a_failure_one_attempt_is_made_and_others_are_refused_at_once() -> None:
    log = Log()
    lane, log.away = Lane(log.send), True
    failed = lane.put(one("a"))
    log.gate.set()
    with pytest.raises(Unavailable):
        await failed
    log.gate.clear()
    trying = lane.put(one("b"))
    for name in "cde":
        with pytest.raises(Unavailable, match=r"the log takes nothing; .* is being tried"):
            lane.put(one(name))
    log.away = False
    log.gate.set()
    assert await trying == [0]
    both = [lane.put(one(name)) for name in "fg"]
    assert [await parcel for parcel in both] == [[1], [2]]
