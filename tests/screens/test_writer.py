"""A batch that is written at the second try is written as if it were the first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bus import sqlite
from bus.port import Batch, Record
from bus.state import State
from schemas.errors import Full
from schemas.topics import RESULTS
from services.screens.judge import floor
from services.screens.tables import TABLES
from services.screens.writer import Heard, Writer
from tests.screens.made import Clock, service

Told = list[int]


class Filling:
    """A state whose disk is full when its first transactions would commit, and all else of it."""

    def __init__(self, real: State, times: int) -> None:
        self._real, self._times = real, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @contextmanager
    def move(self, *args: Any) -> Iterator[Connection]:
        with self._real.move(*args) as connection:
            yield connection
            if self._times:
                self._times -= 1
                raise Full("full for the time being")


def logged(_: Connection, batch: Batch, heard: Sequence[Heard]) -> Told:
    assert len(batch.records) == 4
    return [one.logged for one in heard]


async def test_a_batch_tried_again_on_a_full_disk_keeps_its_log_times_and_counts_once(
    tmp_path: Path,
) -> None:
    clock, told, times = Clock(), list[Told](), list[int]()
    with State.open(tmp_path / "state.db", TABLES, "log") as state:
        filling: Any = Filling(state, times=1)
        async with sqlite.connect(str(tmp_path / "log.db"), 1, clock=clock) as log:
            for record in (
                *map(service, ("s-1.a", "s-1.b", "s-1.c")),
                Record(RESULTS, 0, b"", b"x"),
            ):
                await log.publish([record])
                times.append(int(clock() * 1000))
                clock.pass_(hours=1)
            writer = Writer(log, filling, floor, "test")
            async with log.subscribe(None, [RESULTS], writer.marks.at) as subscription:
                with writer.beside:
                    told += [outcome async for outcome in writer.take(subscription, 100, logged)]
    assert told == [times[:3]]
    assert writer.skipped == 1
