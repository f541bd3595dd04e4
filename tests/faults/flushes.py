"""Whether flushes of counters end as they should, read by code that knows only the contract."""

import asyncio
from collections import defaultdict

import bus
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import COUNTERS
from tests.matching.reader import read

Name = tuple[str, int]
"""A source partition."""


def flushed(log: str) -> int:
    """Check that all rows have their mark, and none stands in another's flush; return how many.

    A row that is missing cannot be seen from here: only the counters show that. Whoever wrote
    before a takeover writes nothing after it: positions never go back.
    """
    return asyncio.run(_flushed(log))


async def _flushed(log: str) -> int:
    async with bus.connect(log) as opened:
        partitions = await read(opened, COUNTERS)
    open_: dict[Name, set[int]] = defaultdict(set)
    stands: dict[Name, int] = {}
    marks = 0
    for records in partitions:
        for _, event in records:
            assert event is not None, "a record of counters that cannot be read"
            if isinstance(event.data, CounterUpdated):
                open_[event.data.topic, event.data.partition].add(event.data.position)
            elif isinstance(event.data, CountersFlushed):
                name, position = (event.data.topic, event.data.partition), event.data.position
                rows = open_.pop(name, set())
                assert rows <= {position}, f"{name}: rows of {rows} before the mark of {position}"
                assert position >= stands.get(name, 0), f"{name}: {position} after {stands[name]}"
                stands[name] = position
                marks += 1
    assert not open_, f"rows without a mark: {dict(open_)}"
    return marks
