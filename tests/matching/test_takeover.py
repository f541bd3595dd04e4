"""Taking over: the same book, nothing decided twice, nothing lost when the log was in doubt."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from bus import Bus, Partition, Position, Record, kafka
from schemas.decisions import Advanced, Moved
from schemas.errors import Mismatch, Unavailable
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS, TOPICS
from schemas.types import TYPES
from services.matching.book import Said
from services.matching.inbox import MOST
from services.matching.records import record
from services.matching.takeover import owner
from tests.matching.crowd import POOLS
from tests.matching.known import content
from tests.matching.running import (
    CITY,
    COUNTIES,
    answered,
    decided,
    ends,
    events,
    expert,
    matching,
    offers,
    province,
    requests,
    run,
    submitted,
    until,
    verdicts,
)


class Doubtful:
    """A log whose commits fail now and then: before they are written, or after."""

    def __init__(self, log: Bus, seed: int) -> None:
        self._log, self._rng = log, Random(seed)
        self.failed: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def advance(
        self,
        owner: str,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Record],
    ) -> list[Position]:
        """Raise Unavailable in a third of all cases, half of them when all is written."""
        fate = self._rng.choice(("before", "after", "", "", "", ""))
        written = [] if fate == "before" else await self._log.advance(owner, moves, outputs)
        if fate:
            self.failed[fate] += 1
            raise Unavailable(f"failed {fate} it was written")
        return written


def asks() -> list[Record]:
    """Return what two counties and a city have to do."""
    people = [expert(f"li-{n}", pool=pool) for n in range(2) for pool in (*COUNTIES, CITY)]
    cases = [submitted(f"r{n}", pool=COUNTIES[n % 2], minutes=600) for n in range(60)]
    return [*province(), *people, *cases]


async def test_whoever_takes_over_has_the_book_of_who_decided(either: Bus) -> None:
    await either.publish(asks())
    async with matching(either, escalate_minutes=60, offer_minutes=5) as worker:
        await decided(either, worker)
        for assignment, offer in (await offers(either)).items():
            await either.publish([answered(assignment, offer.members[0].id)])
        await decided(either, worker)
        first = {n: content(source.book) for n, source in worker.sources.items()}
    async with matching(either, escalate_minutes=60, offer_minutes=5) as worker:
        second = {n: content(source.book) for n, source in worker.sources.items()}
    assert any(book["offers"] for book in first.values())
    assert second == first


async def test_taking_over_decides_nothing_that_was_decided(either: Bus) -> None:
    await run(either, asks(), escalate_minutes=60, offer_minutes=5)
    before = await ends(either, ASSIGNMENTS, REFERRALS)
    async with matching(either, escalate_minutes=60, offer_minutes=5) as worker:
        await decided(either, worker)
    assert await ends(either, ASSIGNMENTS, REFERRALS) == before


@pytest.mark.parametrize("seed", range(4))
async def test_commits_in_doubt_lose_nothing_and_decide_nothing_twice(log: Bus, seed: int) -> None:
    doubtful = Doubtful(log, seed)
    await log.publish(asks()[:-60])
    async with matching(doubtful, escalate_minutes=0.001, offer_minutes=5) as worker:
        for ask in asks()[-60::3]:
            await log.publish([ask])
            await decided(log, worker)
        await until(lambda: _escalated(worker.sources.values()))
        await decided(log, worker)
    assert doubtful.failed["before"]
    assert doubtful.failed["after"]
    found = Counter(await verdicts(log))
    assert len(found) == 20
    assert set(found.values()) == {1}
    marks = [e.data for e in await events(log, ASSIGNMENTS) if isinstance(e.data, Advanced)]
    last = {e.partition: e.positions for e in marks}
    for place, end in (await ends(log, REQUESTS, REFERRALS)).items():
        assert last.get(place.number, {}).get(f"{place.topic}:{place.number}", 0) == end


def _escalated(sources: Any) -> bool:
    cases = [case for source in sources for case in source.book.cases.values()]
    own = [case for case in cases if case.kind == "request"]
    return len(own) == 20 and all(
        case.state in {"offered", "escalated", "unmatched"} for case in own
    )


async def test_a_log_whose_positions_are_not_those_of_the_last_decision_is_refused(
    log: Bus,
) -> None:
    await run(log, asks(), offer_minutes=5)
    number = REQUESTS.partition(COUNTIES[0], log.partitions(REQUESTS))
    place = Partition(REQUESTS.name, number)
    at = (await log.positions(owner(number)))[place]
    await log.claim(owner(number))
    await log.advance(owner(number), {place: (at, at - 1)}, [])
    with pytest.RaisesGroup(Mismatch):
        await run(log)


async def test_a_partition_is_taken_over_without_reading_the_others(log: Bus) -> None:
    await run(log, asks(), escalate_minutes=60, offer_minutes=5)
    async with matching(log, offer_minutes=5) as worker:
        held = {n: {case.pool for case in s.book.cases.values()} for n, s in worker.sources.items()}
    for number, pools in held.items():
        assert all(ASSIGNMENTS.partition(pool, 4) == number for pool in pools)
    assert set().union(*held.values()) == {case.pool for case in (await requests(log)).values()}


async def test_whoever_takes_over_passes_over_what_nobody_can_read_and_says_so(log: Bus) -> None:
    await log.publish([*province(), expert("li"), submitted("r1")])
    async with matching(log, offer_minutes=5) as worker:
        await decided(log, worker)
        books = {n: content(source.book) for n, source in worker.sources.items()}
    await log.publish(await unreadable(log))
    with capture_logs() as lines:
        async with matching(log, offer_minutes=5) as worker:
            taken = {n: content(source.book) for n, source in worker.sources.items()}
            (told,) = worker.means.metrics.skipped.collect()
    assert taken == books
    said = [line for line in lines if line["event"] == "decisions that cannot be read"]
    assert [(line["log_level"], line["count"], line["rule"]) for line in said] == [
        ("error", 3, "less_than_equal")
    ]
    skipped = {s.labels["topic"]: s.value for s in told.samples if s.name.endswith("_total")}
    assert skipped[ASSIGNMENTS.name] == 3


async def unreadable(log: Bus) -> list[Record]:
    """Return a move that has gone too far, an offer for a request that is not there, and noise."""
    ((request, case),) = (await requests(log)).items()
    ((assignment, offer),) = (await offers(log)).items()
    moved = case.model_copy(update={"revision": case.revision + 1, "blocked_seconds": 10**10})
    strange = offer.model_copy(update={"request_id": f"{offer.pool}.never-heard-of"})
    return [
        record(Said(TYPES["yizhan.request.moved"], request, moved), case.occurred_at),
        record(Said(TYPES["yizhan.match.offered"], f"{assignment}0", strange), case.occurred_at),
        Record(ASSIGNMENTS, offer.pool, b"noise", None),
    ]


async def test_a_partition_of_many_batches_is_read_to_its_end(log: Bus) -> None:
    await run(log, [*province(), *[submitted(f"r{n}") for n in range(1500)]], escalate_minutes=60)
    number = ASSIGNMENTS.partition(COUNTIES[0], 4)
    assert (await ends(log, ASSIGNMENTS))[Partition(ASSIGNMENTS.name, number)] > MOST
    async with matching(log, escalate_minutes=60) as worker:
        assert len(worker.sources[number].book.cases) == 1500


async def test_nothing_is_decided_before_the_registry_is_read(log: Bus) -> None:
    strangers = [expert(f"li-{n}", "MET", pool=CITY) for n in range(MOST + 500)]
    await log.publish([*province(), *strangers, expert("wang"), submitted("r1")])
    await run(log, offer_minutes=5)
    moves = [e.data.state for e in await events(log, ASSIGNMENTS) if isinstance(e.data, Moved)]
    assert moves == ["submitted", "accepted", "matching", "offered"]


async def test_what_is_asked_while_partitions_change_hands_is_answered_once(
    own_kafka: str,
) -> None:
    asks = [submitted(f"r{n}", pool=POOLS[n % len(POOLS)]) for n in range(90)]
    async with kafka.connect(own_kafka, 4) as log:
        await log.create(TOPICS)
    async with kafka.connect(own_kafka) as first, kafka.connect(own_kafka) as second:
        log = first
        await log.publish(province())
        async with matching(first, escalate_minutes=60) as one:
            await log.publish(asks[:30])
            await decided(log, one)
            async with matching(second, escalate_minutes=60) as two:
                await until(lambda: len(one.sources) == len(two.sources) == 2)
                await log.publish(asks[30:60])
                await decided(log, one)
                await decided(log, two)
            await until(lambda: len(one.sources) == 4 and not one.ready())
            await log.publish(asks[60:])
            await decided(log, one)
        found = Counter(await verdicts(log))
    assert len(found) == 90
    assert set(found.values()) == {1}
