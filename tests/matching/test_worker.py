"""The running matcher: every ask is answered, once, and nothing is written for nothing."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from bus import Bus, Partition, Record, sqlite
from schemas.decisions import Advanced
from schemas.errors import Fenced
from schemas.topics import ASSIGNMENTS, REQUESTS, TOPICS
from services.matching.worker import Worker
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
    record,
    requests,
    run,
    submitted,
    until,
    verdicts,
)


async def test_a_request_is_offered_accepted_and_started(either: Bus) -> None:
    await either.publish([*province(), expert("li")])
    async with matching(either, offer_minutes=5) as worker:
        await either.publish([submitted("r1")])
        await decided(either, worker)
        ((assignment, offer),) = (await offers(either)).items()
        assert offer.members[0].id == f"{COUNTIES[0]}.li"
        await either.publish([answered(assignment, offer.members[0].id)])
        await decided(either, worker)
        about = {"request_id": f"{COUNTIES[0]}.r1"}
        await either.publish([record("service.started", f"{COUNTIES[0]}.s1", **about)])
        await decided(either, worker)
    assert (await requests(either))[f"{COUNTIES[0]}.r1"].state == "in_service"


async def test_a_request_that_its_county_cannot_serve_is_served_by_the_city(either: Bus) -> None:
    await either.publish([*province(), expert("wang", pool=CITY)])
    async with matching(either, offer_minutes=5) as worker:
        await either.publish([submitted("r1")])
        await until(lambda: any(s.book.offers for s in worker.sources.values()))
        await decided(either, worker)
        ((assignment, offer),) = (await offers(either)).items()
        await either.publish([answered(assignment, offer.members[0].id)])
        await decided(either, worker)
    home = (await requests(either))[f"{COUNTIES[0]}.r1"]
    assert (home.state, home.performers) == ("committed", (f"{CITY}.wang",))


async def test_what_a_referral_booked_is_let_go_by_the_referral_also_in_the_same_partition(
    log: Bus,
) -> None:
    home = f"{COUNTIES[0]}.r1"
    assert REQUESTS.partition(CITY, 4) == REQUESTS.partition(COUNTIES[0], 4)
    await log.publish([*province(), expert("wang", pool=CITY)])
    async with matching(log, offer_minutes=5) as worker:
        await log.publish([submitted("r1")])
        await until(lambda: any(s.book.offers for s in worker.sources.values()))
        await decided(log, worker)
        ((assignment, offer),) = (await offers(log)).items()
        await log.publish([answered(assignment, offer.members[0].id)])
        await decided(log, worker)
        await log.publish([record("request.cancelled", f"{COUNTIES[0]}.c1", request_id=home)])
        await decided(log, worker)
    ended = (await offers(log))[assignment]
    assert (ended.outcome, ended.reason) == ("released", "the home pool needs it no more")


async def test_an_offer_expires_by_the_clock_alone(log: Bus) -> None:
    await log.publish([*province(), expert("li")])
    async with matching(log, offer_minutes=0.005, escalate_minutes=60) as worker:
        await log.publish([submitted("r1")])
        await until(lambda: any(s.book.unmatched for s in worker.sources.values()))
    assert [offer.outcome for offer in (await offers(log)).values()] == ["expired"]


async def test_an_expert_who_comes_is_offered_what_waits_without_any_ask(log: Bus) -> None:
    async with matching(log, escalate_minutes=60) as worker:
        await log.publish([*province(), submitted("r1")])
        await until(lambda: any(s.book.unmatched for s in worker.sources.values()))
        await log.publish([expert("li")])
        await until(lambda: any(s.book.offers for s in worker.sources.values()))


async def test_repeats_move_the_position_and_decide_nothing(log: Bus) -> None:
    again = submitted("r1")
    await run(log, [*province(), expert("li"), again], offer_minutes=5)
    before = await verdicts(log)
    await run(log, [again, again], offer_minutes=5)
    assert await verdicts(log) == before
    last = [e.data for e in await events(log, ASSIGNMENTS) if isinstance(e.data, Advanced)][-1]
    number = REQUESTS.partition(COUNTIES[0], log.partitions(REQUESTS))
    assert last.positions[f"{REQUESTS.name}:{number}"] == 3


async def test_records_that_are_no_asks_are_passed_over(log: Bus) -> None:
    bad = [
        Record(REQUESTS, COUNTIES[0], b"x", value)
        for value in (None, b"{", submitted("elsewhere", pool="nowhere").value)
    ]
    await run(log, [*province(), expert("li"), *bad, submitted("r1")], offer_minutes=5)
    assert await verdicts(log) == [("request.submitted", f"{COUNTIES[0]}.r1")]


async def test_a_matcher_that_finds_nothing_new_writes_nothing(either: Bus) -> None:
    asks = [submitted(f"r{n}", pool=COUNTIES[n % 2]) for n in range(40)]
    people = [expert(f"li-{n}", pool=COUNTIES[n % 2]) for n in range(4)]
    await run(either, [*province(), *people, *asks], offer_minutes=5, escalate_minutes=60)
    before = await ends(either, *TOPICS)
    async with matching(either, offer_minutes=5, escalate_minutes=60) as worker:
        await decided(either, worker)
        await either.publish([submitted("other", pool=CITY)])
        await decided(either, worker)
    after = await ends(either, *TOPICS)
    city = ASSIGNMENTS.partition(CITY, either.partitions(ASSIGNMENTS))
    changed = {place for place, end in after.items() if end != before[place]}
    assert changed == {Partition(REQUESTS.name, city), Partition(ASSIGNMENTS.name, city)}


async def test_a_thousand_asks_at_once_are_each_answered_once(log: Bus) -> None:
    asks = [submitted(f"r{n}", pool=COUNTIES[n % 2]) for n in range(1000)]
    await run(log, [*province(), *asks], escalate_minutes=60)
    found = Counter(await verdicts(log))
    assert len(found) == 1000
    assert set(found.values()) == {1}


async def test_who_asks_is_answered_within_moments(log: Bus) -> None:
    people = [expert(f"li-{n}") for n in range(20)]
    await log.publish([*province(), *people])
    took = []
    async with matching(log, offer_minutes=5) as worker:
        for n in range(30):
            began = time.perf_counter()
            await log.publish([submitted(f"r{n}", minutes=5)])
            await until(lambda n=n: _cases(worker) == n + 1)  # type: ignore[misc]
            took.append(time.perf_counter() - began)
    print(
        f"submitted to offered: p50 {median(took) * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms"
    )
    assert median(took) < 0.2


def _cases(worker: Worker) -> int:
    return sum(
        len(s.book.offers) + len(s.book.unmatched) for s in worker.sources.values() if s.sure
    )


async def test_whoever_must_go_before_his_turn_still_has_his_book_and_decides_later(
    log: Bus,
) -> None:
    await log.publish([*province(), expert("li")])
    async with matching(log, offer_minutes=5) as worker:
        number = REQUESTS.partition(COUNTIES[0], log.partitions(REQUESTS))
        place, source = Partition(REQUESTS.name, number), worker.sources[number]
        held = frozenset(Partition(REQUESTS.name, n) for n in worker.sources)
        async with worker.means.stock._turn:  # as another partition does in a long round
            await log.publish([submitted("r1")])
            await until(lambda: source.inbox.wanted()[place] == 1 and not source.inbox.count)
            await worker.revoked(held)
            assert (source.sure, source.decided(place)) == (True, 0)
        book = source.book
        await worker.assigned(held)
        await decided(log, worker)
        assert worker.sources[number].book is book
    assert await verdicts(log) == [("request.submitted", f"{COUNTIES[0]}.r1")]


async def test_the_clock_of_decisions_never_goes_back(log: Bus) -> None:
    await run(log, [*province(), expert("li"), submitted("r1")], offer_minutes=5)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    number = ASSIGNMENTS.partition(COUNTIES[0], log.partitions(ASSIGNMENTS))
    last = [e.data for e in await events(log, ASSIGNMENTS) if isinstance(e.data, Advanced)][-1]
    mark = record_of(last.model_copy(update={"now": ahead}))
    await log.publish([mark])
    await run(log, [submitted("r2")], offer_minutes=5)
    marks = [e.data for e in await events(log, ASSIGNMENTS) if isinstance(e.data, Advanced)]
    assert [m.now for m in marks if m.partition == number][-1] == ahead


def record_of(mark: Advanced) -> Record:
    data = mark.model_dump(mode="json")
    return record("pool.advanced", f"advanced/{mark.partition}", **data)


async def test_of_two_matchers_of_one_group_the_older_ends(log: Bus) -> None:
    with pytest.RaisesGroup(Fenced):
        async with matching(log):
            await run(log, [*province(), submitted("r1")])
            await asyncio.Event().wait()


async def test_who_was_fenced_reads_what_was_decided_meanwhile_and_goes_on(tmp_path: Path) -> None:
    path = str(tmp_path / "log.db")
    async with sqlite.connect(path, 4) as log, sqlite.connect(path) as other:
        await log.publish([*province(), expert("li")])
        async with matching(log, offer_minutes=5) as worker:
            await _decide_elsewhere(other)
            await log.publish([submitted("r2")])
            await decided(log, worker)
        told = [("request.submitted", f"{COUNTIES[0]}.{request}") for request in ("r1", "r2")]
        assert await verdicts(log) == told


async def _decide_elsewhere(log: Bus) -> None:
    """Decide as a matcher of another group, which the first one hears nothing of."""
    async with matching(log, offer_minutes=5, matching_group="another") as worker:
        await log.publish([submitted("r1")])
        await decided(log, worker)
