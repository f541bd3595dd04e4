"""Brokers that stop answering, and come back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from bus import kafka as implementation
from bus.port import Partition
from deploy import kafka as deployed
from schemas.errors import Fenced, Unavailable, Unusable
from schemas.topics import Kept, Topic
from tests.bus.reading import PARTITIONS, Made, assigned, drain, read, records, values

TIMEOUT = 1.5
"""Seconds that these buses give a broker for one answer."""


class Broker:
    """A Kafka of this module alone, which can be frozen."""

    def __init__(self, cluster: deployed.Cluster) -> None:
        (node,) = cluster.nodes
        assert node.pid is not None
        self.pid, self.place = node.pid, cluster.bootstrap

    def open(self) -> AbstractAsyncContextManager[Made]:
        return implementation.connect(self.place, PARTITIONS, timeout=TIMEOUT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def broker(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    del kafka_jars  # asked for because without them there is nothing to start
    data = tmp_path_factory.mktemp("outage")
    yield Broker(asyncio.run(deployed.up(data)))
    asyncio.run(deployed.down(data))


@pytest.fixture
async def bus(broker: Broker) -> AsyncIterator[Made]:
    async with implementation.connect(broker.place) as first:
        await first.claim("warm")  # so that a new broker has made what transactions need
    async with broker.open() as bus:
        yield bus


@pytest.fixture
async def topic(bus: Made, name: str) -> Topic:
    topic = Topic(name, Kept.FOREVER)
    await bus.create([topic])
    return topic


async def test_publishing_fails_in_time_and_works_again_afterwards(
    broker: Broker, bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, ["before"]))
    with broker.frozen():
        for value in ("lost?", "lost too?"):
            async with asyncio.timeout(2 * TIMEOUT):
                with pytest.raises(Unavailable) as caught:
                    await bus.publish(records(topic, [value]))
            assert caught.value.retriable
    await again(bus, topic, "after")
    stored = values(await read(bus, topic))
    assert stored[0] == "before"
    assert [value for value in stored if value not in ("before", "after")] in (
        [],
        ["lost?"],
        ["lost too?"],
        ["lost?", "lost too?"],
    )


async def again(bus: Made, topic: Topic, value: str) -> None:
    """Publish until it works; a thawed broker needs a moment."""
    while True:
        try:
            await bus.publish(records(topic, [value]))
        except Unavailable:
            continue
        return


async def test_a_step_that_may_or_may_not_have_been_made_demands_a_new_claim(
    broker: Broker, bus: Made, topic: Topic, name: str
) -> None:
    source = Partition(topic.name, 1)
    await bus.claim(name)
    await bus.advance(name, {source: (0, 1)}, records(topic, ["first"]))
    with broker.frozen():
        with pytest.raises(Unavailable):
            await bus.advance(name, {source: (1, 2)}, records(topic, ["second"]))
        with pytest.raises(Fenced):
            await bus.advance(name, {source: (1, 2)}, records(topic, ["second"]))
    await claimed(bus, name)
    stands = (await bus.positions(name))[source]
    assert values(await read(bus, topic)) == ["first", "second"][:stands]
    await bus.advance(name, {source: (stands, 3)}, records(topic, ["third"]))
    assert values(await read(bus, topic)) == [*["first", "second"][:stands], "third"]


async def claimed(bus: Made, owner: str) -> None:
    while True:
        try:
            await bus.claim(owner)
        except Unavailable:
            continue
        return


async def test_questions_fail_in_time(broker: Broker, bus: Made, topic: Topic) -> None:
    with broker.frozen():
        for question in (bus.highwater(Partition(topic.name, 0)), bus.positions("warm")):
            with pytest.raises(Unavailable):
                async with asyncio.timeout(2 * TIMEOUT):
                    await question


async def test_a_reader_waits_and_goes_on(broker: Broker, bus: Made, topic: Topic) -> None:
    async with assigned(bus, topic) as subscription:
        with broker.frozen():
            assert await subscription.poll(0.2) == []
        await again(bus, topic, "news")
        batches = await drain(bus, subscription)
    assert [value for batch in batches for value in values(batch.records)] == ["news"]


async def test_a_bus_is_closed_in_time_also_when_nobody_answers(
    broker: Broker, topic: Topic, name: str
) -> None:
    with ExitStack() as outage:
        async with asyncio.timeout(20), broker.open() as bus:
            await bus.claim(name)
            async with assigned(bus, topic), assigned(bus, topic, name):
                outage.enter_context(broker.frozen())
                with pytest.raises(Unavailable):
                    await bus.publish(records(topic, ["stuck"]))
                with pytest.raises(Unavailable):
                    await bus.advance(name, {}, records(topic, ["stuck"]))


async def test_a_broker_that_takes_connections_but_does_not_answer_is_unusable(
    broker: Broker,
) -> None:
    with broker.frozen(), pytest.raises(Unusable, match=broker.place):
        async with broker.open():
            pass
