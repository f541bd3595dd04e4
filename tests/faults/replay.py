"""What stats keeps and what it has published, to be compared with what a replay from 0 makes."""

from pathlib import Path
from typing import Any, NamedTuple

import bus
from bus import Partition
from bus.state import State
from deploy.log import records
from schemas.codec import Event, decode
from schemas.measures import CATALOGUE
from schemas.reports import CounterUpdated
from schemas.topics import COUNTED, COUNTERS
from services.stats.fold import Ledger
from services.stats.store import TABLES, Store

Row = tuple[Any, ...]
"""Sums, and members of sets by key."""


class Kept(NamedTuple):
    """What a state file says of one source."""

    position: int
    ledger: Ledger


async def identity(log: str) -> str:
    """Return the log's own id."""
    async with bus.connect(log) as opened:
        return opened.identity


def kept(data: Path, log: str) -> dict[Partition, Kept]:
    """Return what the state file of a worker that has ended holds of each source that counts."""
    counted = {topic.name for topic in COUNTED}
    with State.open(data / f"stats-{CATALOGUE}.db", TABLES, log) as state:
        store = Store(state)
        sources = [source for source in state.positions if source.topic in counted]
        return {source: Kept(store.position(source), store.load(source)[0]) for source in sources}


async def published(log: str) -> dict[bytes, Row]:
    """Return the last row of each key that says anything."""
    last: dict[bytes, bytes] = {}
    async with bus.connect(log) as opened:
        async for _, stored in records(opened, COUNTERS):
            assert stored.key is not None
            assert stored.value is not None
            last[stored.key] = stored.value
    found = {key: _row(value) for key, value in last.items()}
    return {key: row for key, row in found.items() if row is not None}


def _row(value: bytes) -> Row | None:
    event = decode(value)
    assert isinstance(event, Event), event
    if not isinstance(event.data, CounterUpdated) or not (event.data.sums or event.data.sets):
        return None
    sets = {key: sorted(members) for key, members in event.data.sets.items()}
    return event.data.sums, sets, event.data.part
