"""Dead letters replayed, repaired, dismissed: what they are about gets into the log once."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from random import Random
from subprocess import DEVNULL, Popen
from typing import Any

import pytest

import bus
from bus import Bus, Partition, Record
from bus import kafka as kafka_log
from deploy.letters import book
from deploy.letters.book import Wanted
from deploy.letters.mend import changed
from deploy.letters.repair import of, repair
from deploy.letters.replay import Outcome, rehearse, replay
from deploy.letters.settle import Deed, settling
from schemas.codec import Flaw, encode
from schemas.errors import Invalid, Unusable
from schemas.topics import (
    ASSIGNMENTS,
    COUNTERS,
    DEAD_LETTERS,
    HEARTBEATS,
    REGISTRY,
    RESULTS,
    TOPICS,
    Topic,
)
from services.stats.said import letter
from tests.histories import record
from tests.schemas.examples import EXAMPLES
from tests.stats.running import events, everything, totals
from tests.stats.test_worker import run, service
from tests.system.process import YIZHAN

WHEN = "2026-11-21T10:00:00+08:00"
ANY = Wanted()


@pytest.fixture
async def url(servers: str | None, tmp_path: Path) -> str:
    """The address of a log with four partitions of each topic, embedded and on Kafka."""
    if servers is None:
        async with bus.connect(f"sqlite:///{tmp_path}/log.db", partitions=4):
            return f"sqlite:///{tmp_path}/log.db"
    async with kafka_log.connect(servers, 4) as real:
        await real.create(TOPICS)
    return f"kafka://{servers}"


@pytest.fixture
async def log(url: str) -> AsyncIterator[Bus]:
    async with bus.connect(url) as connected:
        yield connected


def astray(serial: int) -> Record:
    """A fact where it does not belong: usable as it is in the partition next to it."""
    good = record(service(serial))
    return good._replace(route=(RESULTS.partition(good.route, 4) + 1) % 4)


async def dead(log: Bus, records: Sequence[Record], flaw: Flaw) -> list[str]:
    """Write records and their letters; return the origins."""
    positions = await log.publish(records)
    letters = [
        letter(Partition(at.topic, at.partition), at.offset, one.value, flaw, WHEN)
        for at, one in zip(positions, records, strict=True)
    ]
    await log.publish(letters)
    return [one.key.decode() for one in letters]


async def written(log: Bus, topic: Topic = RESULTS) -> Counter[bytes | None]:
    """How often each value lies in a topic, in the partition where it belongs."""
    found: Counter[bytes | None] = Counter()
    for place, stored in await everything(log, topic):
        subject = json.loads(stored.value or b"{}").get("subject", "")
        found[stored.value] += topic.partition(subject, 4) == place.number
    return found


ROUTE = Flaw("route", "subject", "it does not belong to this partition")


async def test_what_can_be_used_now_is_put_back_once_as_it_was_and_the_rest_is_refused(
    log: Bus,
) -> None:
    odd = json.dumps(service(1), indent=1).encode()  # not the canonical bytes, yet the same fact
    usable = await dead(log, [astray(0), astray(1)._replace(value=odd)], ROUTE)
    unknown = encode(service(2) | {"type": "yizhan.service.dreamt"})
    (strange,) = await dead(log, [record(service(2))._replace(value=unknown)], Flaw("type", "", ""))
    (conflict,) = await dead(log, [record(service(3))], Flaw("conflict", "data.revision", "no"))
    beat = encode(EXAMPLES["yizhan.heartbeat.sent"])
    (over,) = await dead(log, [Record(HEARTBEATS, 0, b"k", beat)], ROUTE)
    decided = encode(EXAMPLES["yizhan.request.moved"])
    (others,) = await dead(log, [Record(ASSIGNMENTS, 0, b"k", decided)], ROUTE)

    outcome = await replay(log, None, ANY)
    assert outcome.replayed == sorted(usable)
    refused = {one.origin: (one.flaw.rule, one.flaw.field) for one in outcome.refused}
    assert refused == {
        strange: ("type", "type"), conflict: ("conflict", "data.revision"),
        over: ("topic", "type"), others: ("topic", "type"),
    }  # fmt: skip
    assert (await written(log))[odd] == (await written(log))[record(service(0)).value] == 1
    again = await replay(log, None, ANY)
    assert (again.replayed, len(again.refused)) == ([], 4)
    one = await replay(log, usable[0], ANY)
    assert [filed.origin for filed in one.before] == [usable[0]]
    assert set((await written(log)).values()) == {1}


async def test_a_rehearsal_says_the_same_and_writes_nothing(log: Bus) -> None:
    (origin,) = await dead(log, [astray(0)], ROUTE)
    before = [await log.highwater(Partition(DEAD_LETTERS.name, n)) for n in range(4)]
    assert await rehearse(log, None, ANY) == Outcome([origin])
    assert before == [await log.highwater(Partition(DEAD_LETTERS.name, n)) for n in range(4)]
    assert await replay(log, None, ANY) == Outcome([origin])


async def test_all_can_be_those_of_a_rule_or_a_topic(log: Bus) -> None:
    await dead(log, [astray(0)], ROUTE)
    (other,) = await dead(log, [record(service(1))], Flaw("mode", "data.mode", "unknown then"))
    assert not (await replay(log, None, Wanted("mode", REGISTRY.name))).replayed
    assert (await replay(log, None, Wanted("mode"))).replayed == [other]
    assert len((await replay(log, None, Wanted(topic=RESULTS.name))).replayed) == 1


async def test_bytes_that_the_log_has_no_more_come_from_the_letter_if_they_are_those(
    log: Bus,
) -> None:
    (away,) = await log.publish([letter(Partition(RESULTS.name, 0), 77, record(service(1)).value,
                                        ROUTE, WHEN)])  # fmt: skip
    (at,) = await log.publish([record(service(2))])
    large = encode(service(3) | {"data": service(3)["data"] | {"note": "x" * 70_000}})
    source = Partition(at.topic, at.partition)
    await log.publish([letter(source, at.offset, large, ROUTE, WHEN)])
    (same,) = await log.publish([record(service(5))])
    other = record(service(4)).value
    await log.publish([letter(Partition(*same[:2]), same.offset, other, ROUTE, WHEN)])
    outcome = await replay(log, None, ANY)
    assert away.topic == DEAD_LETTERS.name
    names = {f"{RESULTS.name}/0/77", f"{RESULTS.name}/{same.partition}/{same.offset}"}
    assert set(outcome.replayed) == names
    assert [one.flaw.rule for one in outcome.refused] == ["gone"]
    counts = await written(log)
    assert counts[other] == counts[record(service(5)).value] == 1


async def test_of_two_at_once_each_letter_is_replayed_by_one(url: str) -> None:
    async with AsyncExitStack() as opened:
        first, second = [await opened.enter_async_context(bus.connect(url)) for _ in range(2)]
        await dead(first, [astray(n) for n in range(600)], ROUTE)
        done: list[Outcome | BaseException] = []
        while (await book.read(first)).open(ANY):
            both = (replay(first, None, ANY), replay(second, None, ANY))
            done += await asyncio.gather(*both, return_exceptions=True)
            assert {type(one) for one in done} <= {Outcome, Unusable}, done
        counts = await written(first)
        assert (len(counts), set(counts.values())) == (600, {1})


class Late:
    """A log on which a rival settles everything just before this one's claim is through."""

    def __init__(self, log: Bus, rival: Bus) -> None:
        self._log, self._rival = log, rival

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def claim(self, owner: str) -> None:
        assert len((await replay(self._rival, None, ANY)).replayed) == 2
        await self._log.claim(owner)


async def test_what_a_rival_settled_before_the_claim_is_known_after_it(url: str) -> None:
    async with bus.connect(url) as first, bus.connect(url) as rival:
        await dead(first, [astray(0), astray(1)], ROUTE)
        late: Any = Late(first, rival)
        assert (await replay(late, None, ANY)).replayed == []
        assert set((await written(first)).values()) == {1}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_replay_killed_at_any_moment_and_repeated_puts_each_back_once(
    url: str, log: Bus, tmp_path: Path
) -> None:
    many, dice = 2_000, Random(3)
    await log.publish([astray(n) for n in range(many)])
    await run(log, tmp_path / "stats")
    assert len((await book.read(log)).open(ANY)) == many
    command = [str(YIZHAN), "dead-letters", "replay", "--all", "--bus", url]
    killed = 0
    for _ in range(40):
        goal = await _ends(log) + dice.randrange(1, 400)
        running = Popen(command, stdout=DEVNULL, stderr=DEVNULL)  # noqa: ASYNC220  # takes no time
        while running.poll() is None and await _ends(log) < goal:  # noqa: ASYNC110  # not ours
            await asyncio.sleep(0.001)
        running.kill()
        code = running.wait()
        if code == 0:
            break
        killed += 1
    assert not (await book.read(log)).open(ANY)
    counts = await written(log)
    assert (len(counts), set(counts.values())) == (many, {1})
    await run(log, tmp_path / "stats")
    assert (await totals(log))["yinhu", "services_delivered"] == many
    await run(log, tmp_path / "from-0")
    assert (await totals(log))["yinhu", "services_delivered"] == many
    assert not (await book.read(log)).open(ANY)
    assert killed >= 2
    print(f"{many} letters, killed {killed} times")


async def _ends(log: Bus) -> int:
    return sum([await log.highwater(Partition(DEAD_LETTERS.name, n)) for n in range(4)])


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_ten_thousand_letters_are_replayed_within_a_minute(log: Bus) -> None:
    many = 10_000
    for start in range(0, many, 1000):
        await dead(log, [astray(n) for n in range(start, start + 1000)], ROUTE)
    began = time.monotonic()
    outcome = await replay(log, None, ANY)
    took = time.monotonic() - began
    assert len(outcome.replayed) == many
    print(f"{many} letters replayed in {took:.1f} s, {many / took:.0f} a second")
    assert took < 60


def node(name: str, **more: Any) -> Record:
    event = EXAMPLES["yizhan.node.opened"]
    data = {key: value for key, value in event["data"].items() if key != "parent"}
    whole = event | {"subject": name, "data": data | {"node_id": name} | more}
    return Record(REGISTRY, name, name.encode(), encode(whole))


@pytest.fixture
async def conflict(log: Bus) -> str:
    """The origin of a letter: revision 1 of a fact that says otherwise than what stands."""
    await log.publish([node("hub", kind="hub"), node("yinhu", parent="hub")])
    await log.publish([record(service(1))])
    other = record(service(1, enterprise_id="ent-99"))
    (origin,) = await dead(log, [other], Flaw("conflict", "data.revision", "stands already"))
    return origin


REFUSED = {
    "conflict": ["data.minutes=7"],
    "repeat": ['data.enterprise_id="ent-1"'],
    "unknown_node": ["data.revision=2", 'data.node_id="nowhere"'],
    "personal_data": ["data.revision=2", 'data.reason="13912345678"'],
    "future": ["data.revision=2", 'data.occurred_at="2098-01-01T00:00:00Z"'],
    "int_type": ['data.revision="2"'],
    "type": ['type="yizhan.heartbeat.sent"'],
}


async def test_a_repair_is_judged_by_the_rules_of_intake_and_by_what_stands(
    log: Bus, conflict: str
) -> None:
    before = await written(log)
    for rule, sets in REFUSED.items():
        with pytest.raises(Invalid) as refused:
            await repair(log, conflict, of(None, sets))
        assert rule in {error.rule for error in refused.value.errors}
    assert await written(log) == before


async def test_a_repair_stands_once_however_often_it_is_repeated(
    log: Bus, conflict: str, tmp_path: Path
) -> None:
    whole = tmp_path / "event.json"
    whole.write_text(json.dumps(service(1, 2, enterprise_id="ent-99")))
    done = await repair(log, conflict, of(whole, []))
    assert isinstance(done, Record)
    again = await repair(log, conflict, of(None, ["data.revision=3"]))
    assert isinstance(again, book.Filed)
    assert again.settled is not None
    assert again.settled.report.how == "repaired"
    assert again.settled.report.sha256 == sha256(done.value or b"").hexdigest()
    await run(log, tmp_path / "stats")
    rows = [e.data for e in await events(log, COUNTERS) if e.kind.name.endswith("updated")]
    assert {member for row in rows for member in row.sets["enterprises_served"]} == {"ent-99"}


async def test_a_repaired_ask_must_be_about_a_request_that_is_there(log: Bus) -> None:
    await log.publish([node("hub", kind="hub"), node("yinhu", parent="hub")])
    ask = EXAMPLES["yizhan.request.cancelled"] | {"subject": "hub.a-1"}
    bad = encode(ask | {"data": ask["data"] | {"reason": 5, "request_id": "hub.r-1"}})
    (origin,) = await dead(log, [record(service(1))._replace(value=bad)], Flaw("s", "", ""))
    sets = ['data.actor_role="enterprise"', 'data.reason="no need"']
    with pytest.raises(Exception, match=r"there is no request hub\.r-1"):
        await repair(log, origin, of(None, sets))


async def test_a_dismissed_letter_is_neither_replayed_nor_repaired(log: Bus) -> None:
    (origin,) = await dead(log, [astray(0)], ROUTE)
    async with settling(log) as settlement:
        await settlement.do([Deed(settlement.book[origin], "dismissed", reason="a test")])
    assert (await replay(log, None, ANY)).replayed == []
    assert isinstance(await repair(log, origin, of(None, ["data.revision=2"])), book.Filed)
    assert set((await written(log)).values()) == {0}


def test_fields_are_set_in_objects_and_lists_and_the_rest_stays() -> None:
    value = encode(service(1))
    mended = changed(value, ['data.elements.0="TST"', "data.place=null", "data.persons=3"])
    data = service(1)["data"] | {"elements": ["TST"], "place": None, "persons": 3}
    assert mended == service(1) | {"data": data}
    with pytest.raises(Unusable, match="give the whole event"):
        changed(b"[1", ["data.persons=3"])
