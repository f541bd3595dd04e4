"""What a worker publishes and when, against a fake log whose answers a test holds back."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bus.fences import MOST, REST, Fences
from bus.port import Batch, Lease, Partition, Position, Record
from bus.state import State
from bus.turns import Turns
from schemas.codec import Event, decode
from schemas.errors import Fenced, Unavailable
from schemas.topics import DEAD_LETTERS, RESULTS
from services.stats import app, publishing
from services.stats.audit import Report
from services.stats.source import AT_ONCE, ON_END
from services.stats.store import TABLES, Store
from services.stats.worker import Worker
from tests.histories import record
from tests.stats.running import until
from tests.stats.test_worker import service

SOURCE = Partition(RESULTS.name, 0)


class Stored(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Log:
    """One partition per topic; `held` makes advance wait, `away` makes it and publish fail.

    Without `answers` highwater waits.

    As on Kafka, one step is made after another, and one that fails takes the claim with it.
    """

    identity = "fake"

    def __init__(self, end: int = 0) -> None:
        self.end, self.away = end, False
        self.calls: list[str] = []
        self.published: list[Record] = []
        self.held = asyncio.Event()
        self.held.set()
        self.answers = asyncio.Event()
        self.answers.set()
        self._claimed: set[str] = set()
        self._busy = asyncio.Lock()

    def partitions(self, _topic: object) -> int:
        return 1

    async def claim(self, owner: str) -> None:
        self.calls.append(f"claim {owner}")
        self._claimed.add(owner)

    async def highwater(self, _partition: Partition) -> int:
        self.calls.append("highwater")
        await self.answers.wait()
        if self.away:
            raise Unavailable("away")
        return self.end

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        await self.held.wait()
        if self.away:
            raise Unavailable("away")
        self.published += records
        return []

    async def advance(
        self, owner: str, _moves: Mapping[Any, Any], records: Sequence[Record]
    ) -> list[Position]:
        async with self._busy:
            if owner not in self._claimed:
                raise Fenced(owner)
            try:
                return await self.publish(records)
            except Unavailable:
                self._claimed.discard(owner)
                raise

    def lose(self, owner: str) -> None:
        """Let another claim what this one has claimed."""
        self._claimed.discard(owner)

    def said(self) -> list[tuple[str, int, int | None]]:
        """Return (type, position, services) of what was published, and forget it."""
        found = []
        for made in self.published:
            event = decode(made.value)
            assert isinstance(event, Event), event
            services = getattr(event.data, "sums", {}).get("services_delivered")
            found.append((event.kind.name.split(".")[-1], event.data.position, services))
        self.published.clear()
        return found


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let flushes follow each other at once."""
    monkeypatch.setattr(publishing, "SPARING", 0)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State.open(tmp_path / "state.db", TABLES, "fake") as opened:
        yield opened


def started(log: Log, state: State, merge: int = 512) -> Worker:
    """Return a worker that holds the one partition."""
    worker = Worker(log, Store(state, merge), lambda: "2024-01-01T00:00:00+08:00")  # type: ignore[arg-type]  # only what a worker asks for
    worker.start(SOURCE)
    return worker


def batch(base: int, *events: dict[str, Any]) -> Batch:
    stored = [Stored(base + n, 0, b"", record(event).value) for n, event in enumerate(events)]
    return Batch(*SOURCE, base, base + len(events), stored, Lease(base))


async def held(log: Log, worker: Worker, seconds: float) -> asyncio.Task[None]:
    """Begin a flush that the log holds; return it after so long."""
    log.held.clear()
    flushing = asyncio.create_task(worker.flush())
    await asyncio.wait([flushing], timeout=seconds)
    return flushing


async def test_nothing_goes_out_before_the_end_that_the_log_had_after_the_claim(
    state: State,
) -> None:
    log = Log(end=2)
    worker = started(log, state)
    await worker.flush()
    assert log.calls == ["claim stats-yizhan.results-0", "highwater"]
    assert await worker.take(batch(0, service(0)))
    await worker.flush()
    assert (log.said(), worker.ready()) == ([], {"stats": "catching up on yizhan.results/0"})
    assert await worker.take(batch(1, service(1)))
    await worker.flush()
    assert (log.said(), worker.ready()) == ([("updated", 2, 2), ("flushed", 2, None)], {})


async def test_what_changes_while_rows_are_on_their_way_goes_out_next(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    flushing = await held(log, worker, 0.05)
    await worker.take(batch(1, service(1)))
    log.held.set()
    await flushing
    assert log.said() == [("updated", 1, 1), ("flushed", 1, None)]
    await worker.flush()
    assert log.said() == [("updated", 2, 2), ("flushed", 2, None)]


async def test_a_log_that_takes_long_is_left_alone_for_longer(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "SPARING", 3)
    monkeypatch.setattr(publishing, "LONGEST", 60.0)
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    flushing = await held(log, worker, 0.1)
    log.held.set()
    await flushing
    ended = asyncio.get_running_loop().time()
    await worker.take(batch(1, service(1)))
    log.said()
    while not (said := log.said()):
        await worker.flush()
    assert said == [("updated", 2, 2), ("flushed", 2, None)]
    assert asyncio.get_running_loop().time() - ended > 0.2


async def test_many_rows_are_made_in_pieces_and_all_tell_of_one_position(state: State) -> None:
    log = Log()
    worker = started(log, state)
    many = 3 * ON_END
    await worker.take(batch(0, *(service(n, node=f"n-{n}") for n in range(many))))
    await worker.sources[SOURCE].claim(worker.log)
    flushing = asyncio.create_task(worker.flush())
    rounds = 0
    while not worker.sources[SOURCE].still.locked():  # noqa: ASYNC110  # a lock has no event
        await asyncio.sleep(0)
    taking = asyncio.create_task(worker.take(batch(many, service(0, 2, node="n-1"))))
    while worker.sources[SOURCE].still.locked() and not taking.done():
        await asyncio.sleep(0)
        rounds += 1
    assert await taking
    await flushing
    assert rounds >= many // ON_END
    assert log.said() == [*[("updated", many, 1)] * many, ("flushed", many, None)]
    await worker.flush()
    *rows, _ = log.said()
    assert sorted(rows, key=str) == [("updated", many + 1, 2), ("updated", many + 1, None)]


async def test_what_came_while_its_partition_went_and_came_back_is_not_lost(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.said()
    before = worker.sources[SOURCE]
    await before.still.acquire()
    taking = asyncio.create_task(worker.take(batch(1, service(1))))
    await asyncio.sleep(0)
    worker.drop(SOURCE)
    assert worker.start(SOURCE) == 1
    before.still.release()
    await taking
    assert await worker.take(batch(1, service(1)))
    await worker.flush()
    assert log.said() == [("updated", 2, 2), ("flushed", 2, None)]


async def test_a_worker_is_not_ready_before_its_ledger_is_there(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.sources[SOURCE].claim(worker.log)
    assert worker.ready() == {"stats": "catching up on yizhan.results/0"}
    await worker.flush()
    assert worker.ready() == {}


async def test_a_mark_goes_out_also_when_only_the_position_moved(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.said()
    await worker.take(batch(1, service(0)))
    await worker.flush()
    await worker.flush()
    assert log.said() == [("flushed", 2, None)]


async def test_rows_that_were_not_acknowledged_go_out_after_a_restart(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    log.away = True
    await worker.flush()
    log.away = False
    again = started(log, state)
    await again.flush()
    assert log.said() == [("updated", 1, 1), ("flushed", 1, None)]


async def test_what_a_fact_left_while_blobs_were_merged_goes_out_after_a_restart(
    state: State,
) -> None:
    log = Log()
    worker = started(log, state, merge=0)
    await worker.take(batch(0, service(0)))
    log.held.clear()
    flushing = asyncio.create_task(worker.flush())
    await asyncio.wait([flushing], timeout=0.05)
    await worker.take(batch(1, service(0, revision=2, node="anlu")))
    log.held.set()
    await flushing
    log.said()
    again = started(log, state, merge=0)
    await again.flush()
    *rows, mark = log.said()
    assert sorted(rows, key=str) == [("updated", 2, 1), ("updated", 2, None)]
    assert mark == ("flushed", 2, None)


async def test_merged_blobs_hold_all_that_stands(state: State) -> None:
    log = Log()
    worker = started(log, state, merge=3)
    for n in range(20):
        await worker.take(batch(n, service(n % 7, revision=n + 1)))
        await worker.flush()
    kept = worker.sources[SOURCE].ledger
    again = started(log, state, merge=3)
    await again.flush()
    assert again.sources[SOURCE].ledger == kept
    assert len(kept.subjects) == 7


async def test_when_the_log_was_away_the_owner_is_claimed_anew(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.away = True
    await worker.take(batch(1, service(1)))
    await worker.flush()
    assert worker.ready()
    log.away = False
    log.calls.clear()
    await worker.flush()
    assert log.calls == ["claim stats-yizhan.results-0", "highwater"]


class Recounts:
    """An auditor that agrees."""

    async def check(self) -> list[Report]:
        return [Report(SOURCE, 1, 1, ())]


@pytest.mark.parametrize("first", ["flush", "audit"])
async def test_rows_and_a_recount_that_meet_a_log_that_goes_away_end_nobody(
    state: State, first: str
) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    await worker.take(batch(1, service(1)))
    log.held.clear()
    both = {"flush": worker.flush(), "audit": worker.audit(Recounts())}  # type: ignore[arg-type]
    tasks = [asyncio.create_task(both.pop(first)), *map(asyncio.create_task, both.values())]
    await asyncio.wait(tasks, timeout=0.05)
    log.away = True
    log.held.set()
    await asyncio.gather(*tasks)
    log.away = False
    log.said()
    await worker.flush()
    assert log.said() == [("updated", 2, 2), ("flushed", 2, None)]


class Unread(Log):
    """Cannot be read: `asked` counts who tried."""

    asked = 0

    def subscribe(self, *_: object) -> None:
        self.asked += 1
        raise Unavailable("away")


async def test_a_log_that_is_away_when_a_recount_begins_ends_nobody(state: State) -> None:
    log = Unread()
    worker = started(log, state)
    await worker.flush()
    recounting = asyncio.create_task(app._audit(worker, 0.001))
    await until(lambda: log.asked >= 3 or recounting.done())
    assert not recounting.done()
    recounting.cancel()


async def test_a_recount_that_could_not_be_told_is_no_doubt_once_the_log_is_back(
    state: State,
) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.away = True
    await worker.audit(Recounts())  # type: ignore[arg-type]
    assert worker.ready()
    log.away = False
    await worker.flush()
    assert worker.ready() == {}


async def test_a_recount_that_agrees_publishes_its_answer_and_no_mark(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.said()
    await worker.audit(Recounts())  # type: ignore[arg-type]  # agrees
    await worker.flush()
    assert log.said() == [("audited", 1, None)]


async def test_a_position_stays_where_a_dead_letter_could_not_be_written(state: State) -> None:
    log = Log()
    worker = started(log, state)
    log.away = True
    with pytest.raises(Unavailable):
        await worker.take(batch(0, service(0) | {"type": "yizhan.unknown.type"}))
    assert state.position(SOURCE) == 0
    log.away = False
    again = started(log, state)
    assert await again.take(batch(0, service(0) | {"type": "yizhan.unknown.type"}))
    assert [made.topic for made in log.published] == [DEAD_LETTERS]
    assert state.position(SOURCE) == 1


async def test_a_partition_that_went_while_its_letters_were_written_moves_nothing(
    state: State,
) -> None:
    log = Log()
    worker = started(log, state)
    log.held.clear()
    bad = service(0) | {"type": "yizhan.unknown.type"}
    taking = asyncio.create_task(worker.take(batch(0, bad)))
    await asyncio.wait([taking], timeout=0.05)
    worker.drop(SOURCE)
    worker.start(SOURCE)
    log.held.set()
    assert await taking
    assert (state.position(SOURCE), worker.positions()[SOURCE]) == (0, 0)


async def come_back(worker: Worker, rival: str | None, log: Log) -> list[str]:
    """Let the partition go and come back, as when others join; return what the log was asked."""
    worker.drop(SOURCE)
    if rival is not None:
        log.lose(rival)
    worker.start(SOURCE)
    worker.settle()
    log.calls.clear()
    await worker.flush()
    return log.calls


async def test_a_partition_that_comes_back_goes_on_as_it_was(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    ledger = worker.sources[SOURCE].ledger
    assert await come_back(worker, None, log) == []
    assert worker.sources[SOURCE].ledger is ledger
    await worker.take(batch(1, service(1)))
    log.said()
    await worker.flush()
    assert log.said() == [("updated", 2, 2), ("flushed", 2, None)]


async def test_a_partition_that_another_had_meanwhile_is_claimed_and_read_to_its_end(
    state: State,
) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.end = 2
    owner = "stats-yizhan.results-0"
    assert await come_back(worker, owner, log) == [f"claim {owner}", "highwater"]
    assert worker.ready() == {"stats": "catching up on yizhan.results/0"}
    log.said()
    await worker.take(batch(1, service(1)))
    await worker.flush()
    assert log.said() == [("updated", 2, 2), ("flushed", 2, None)]


async def test_a_claim_that_ends_half_way_has_learned_nothing(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.end = 2
    log.lose("stats-yizhan.results-0")
    log.answers.clear()
    log.calls.clear()
    worker.drop(SOURCE)
    worker.start(SOURCE)
    await until(lambda: "highwater" in log.calls)
    worker.drop(SOURCE)
    worker.start(SOURCE)
    log.answers.set()
    log.said()
    await worker.flush()
    assert worker.ready() == {"stats": "catching up on yizhan.results/0"}
    assert log.said() == []


async def test_a_worker_that_ends_claims_nothing_any_more(state: State) -> None:
    log = Log()
    log.answers.clear()
    worker = started(log, state)
    await until(lambda: "highwater" in log.calls)
    await worker.aclose()
    claiming = worker.sources[SOURCE].claiming
    assert claiming is not None
    assert claiming.cancelled()


async def test_a_partition_that_did_not_come_back_at_once_is_read_from_the_state(
    state: State,
) -> None:
    worker = started(Log(), state)
    await worker.take(batch(0, service(0)))
    ledger = worker.sources[SOURCE].ledger
    worker.drop(SOURCE)
    worker.settle()
    worker.start(SOURCE)
    await worker.flush()
    assert worker.sources[SOURCE].ledger is not ledger
    assert worker.sources[SOURCE].ledger.subjects == ledger.subjects


async def test_who_is_fenced_by_a_zombie_claims_again_after_a_rest(state: State) -> None:
    log, clock = Log(), Clock()
    worker = started(log, state)
    worker.sources[SOURCE].fences = Fences(clock)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    log.lose("stats-yizhan.results-0")
    await worker.take(batch(1, service(1)))
    await worker.flush()
    log.calls.clear()
    log.said()
    await worker.flush()
    assert (log.calls, bool(worker.ready())) == ([], True)
    clock.now += REST
    await worker.flush()
    assert log.calls == ["claim stats-yizhan.results-0", "highwater"]
    assert (log.said(), worker.ready()) == ([("updated", 2, 2), ("flushed", 2, None)], {})


async def test_who_is_fenced_again_and_again_ends(state: State) -> None:
    log, clock = Log(), Clock()
    worker = started(log, state)
    worker.sources[SOURCE].fences = Fences(clock)
    await worker.flush()

    async def fenced(position: int) -> None:
        log.lose("stats-yizhan.results-0")
        await worker.take(batch(position, service(position)))
        await worker.flush()
        clock.now += REST
        await worker.flush()

    for position in range(MOST):
        await fenced(position)
    with pytest.raises(Fenced):
        await fenced(MOST)


async def test_readiness_tells_that_the_log_is_away_and_that_reading_lags(state: State) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    await worker.flush()
    await worker.look()
    assert worker.ready() == {}
    log.end = 5
    await worker.look()
    await worker.look()
    assert worker.ready() == {"stats": "catching up on yizhan.results/0"}
    log.away = True
    await worker.look()
    assert worker.ready() == {"stats": "the log does not answer: away"}


async def test_rows_that_the_log_refuses_are_told_with_the_reason_until_it_takes_them(
    state: State,
) -> None:
    log = Log()
    worker = started(log, state)
    await worker.take(batch(0, service(0)))
    log.away = True
    await worker.flush()
    assert worker.ready() == {"stats": "counters of yizhan.results/0 not published: away"}
    log.away = False
    await worker.flush()
    assert (worker.ready(), len(log.said())) == ({}, 2)


async def test_a_flush_that_hangs_makes_stats_not_ready_until_it_comes_back(state: State) -> None:
    log, now = Log(), [0.0]
    worker = started(log, state)
    worker.sources[SOURCE].turns = Turns(["flush"], lambda: now[0])
    await worker.take(batch(0, service(0)))
    log.held.clear()
    flushing = asyncio.create_task(worker.flush())
    now[0] = 75.0
    assert worker.ready() == {"stats": "yizhan.results/0: flush has not turned for 75 s"}
    log.held.set()
    await flushing
    assert worker.ready() == {}


class Slow(Log):
    """A log that takes most of a minute for each step; `told` is how ready somebody is by then."""

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self._now = now
        self.asked: Callable[[], object] = dict
        self.told: list[object] = []

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        self._now[0] += 50.0
        self.told.append(self.asked())
        return await super().publish(records)


async def test_a_flush_that_takes_minutes_and_goes_on_is_no_hang(state: State) -> None:
    now = [0.0]
    log = Slow(now)
    worker = started(log, state)
    worker.sources[SOURCE].turns = Turns(["flush"], lambda: now[0])
    await worker.take(batch(0, *(service(n, node=f"n-{n}") for n in range(2 * AT_ONCE))))
    log.asked = worker.ready
    await worker.flush()
    assert log.told == [{}] * 3
