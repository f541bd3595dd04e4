"""What `claim`, `advance` and `positions` promise on every log."""

import uuid

import pytest

from bus.port import Partition, Record
from schemas.errors import Fenced, TooLarge
from schemas.topics import MAX_RECORD, Topic
from tests.bus.conftest import Log
from tests.bus.reading import Made, assigned, drain, read, records, values, visible


@pytest.fixture
def owner() -> str:
    return f"matching-{uuid.uuid4().hex}"


@pytest.fixture
def source(topic: Topic) -> Partition:
    """A partition to move along: any number will do."""
    return Partition(topic.name, 1)


async def test_outputs_and_positions_are_there_afterwards(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    await bus.claim(owner)
    positions = await bus.advance(owner, {source: (0, 3)}, records(topic, ["a", "b"]))
    await visible(bus, positions)
    lying = await read(bus, topic)
    assert values(lying) == ["a", "b"]
    assert [position.offset for position in positions] == [stored.offset for stored in lying]
    assert await bus.positions(owner) == {source: 3}


async def test_an_owner_that_never_moved_has_no_positions(bus: Made, owner: str) -> None:
    await bus.claim(owner)
    assert await bus.positions(owner) == {}


async def test_a_step_may_write_without_moving(bus: Made, topic: Topic, owner: str) -> None:
    await bus.claim(owner)
    await visible(bus, await bus.advance(owner, {}, records(topic, ["tick"])))
    assert values(await read(bus, topic)) == ["tick"]
    assert await bus.positions(owner) == {}


async def test_a_step_may_move_without_writing(bus: Made, owner: str, source: Partition) -> None:
    await bus.claim(owner)
    assert await bus.advance(owner, {source: (0, 2)}, []) == []
    assert await bus.positions(owner) == {source: 2}


async def test_a_step_may_do_nothing(bus: Made, owner: str) -> None:
    await bus.claim(owner)
    assert await bus.advance(owner, {}, []) == []


async def test_steps_follow_one_another(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    await bus.claim(owner)
    for i in range(5):
        await visible(bus, await bus.advance(owner, {source: (i, i + 1)}, records(topic, [i])))
    assert await bus.positions(owner) == {source: 5}
    assert values(await read(bus, topic)) == list("01234")


async def test_several_positions_move_in_one_step(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    second = Partition(topic.name, 2)
    await bus.claim(owner)
    await bus.advance(owner, {source: (0, 2), second: (0, 7)}, [])
    await bus.advance(owner, {second: (7, 9)}, [])
    assert await bus.positions(owner) == {source: 2, second: 9}


async def test_who_never_claimed_is_fenced(bus: Made, topic: Topic, owner: str) -> None:
    with pytest.raises(Fenced):
        await bus.advance(owner, {}, records(topic, ["stray"]))
    assert await read(bus, topic) == []


async def test_a_zombie_is_fenced_and_nothing_of_its_step_is_seen(
    log: Log, bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    await bus.claim(owner)
    await bus.advance(owner, {source: (0, 1)}, records(topic, ["before"]))
    async with log.open() as successor:
        await successor.claim(owner)
        with pytest.raises(Fenced):
            await bus.advance(owner, {source: (1, 2)}, records(topic, ["zombie"]))
        assert await successor.positions(owner) == {source: 1}
        positions = await successor.advance(owner, {source: (1, 2)}, records(topic, ["after"]))
        await visible(successor, positions)
        assert values(await read(successor, topic)) == ["before", "after"]


async def test_a_zombie_that_would_write_and_move_nothing_is_fenced_too(
    log: Log, bus: Made, owner: str
) -> None:
    await bus.claim(owner)
    async with log.open() as successor:
        await successor.claim(owner)
        with pytest.raises(Fenced):
            await bus.advance(owner, {}, [])


async def test_a_step_from_a_position_that_is_not_the_owners_does_nothing(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    second = Partition(topic.name, 2)
    await bus.claim(owner)
    await bus.advance(owner, {source: (0, 5)}, [])
    with pytest.raises(Fenced):
        await bus.advance(owner, {second: (0, 1), source: (4, 6)}, records(topic, ["wrong"]))
    assert await bus.positions(owner) == {source: 5}
    assert await read(bus, topic) == []


async def test_claiming_again_goes_on_from_the_same_positions(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    await bus.claim(owner)
    await bus.advance(owner, {source: (0, 5)}, records(topic, ["one"]))
    await bus.claim(owner)
    assert await bus.positions(owner) == {source: 5}
    await visible(bus, await bus.advance(owner, {source: (5, 6)}, records(topic, ["two"])))
    assert values(await read(bus, topic)) == ["one", "two"]


async def test_two_owners_do_not_touch_each_other(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    other = f"{owner}-other"
    for name in (owner, other):
        await bus.claim(name)
    await bus.advance(owner, {source: (0, 1)}, records(topic, ["one"]))
    await bus.advance(other, {source: (0, 2)}, records(topic, ["two"]))
    assert await bus.positions(owner) == {source: 1}
    assert await bus.positions(other) == {source: 2}


async def test_one_output_too_large_and_the_step_does_nothing(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    large = Record(topic, "r", b"k", b"x" * MAX_RECORD)
    await bus.claim(owner)
    with pytest.raises(TooLarge):
        await bus.advance(owner, {source: (0, 1)}, [*records(topic, ["small"]), large])
    assert await bus.positions(owner) == {}
    assert await read(bus, topic) == []


async def test_a_reader_crosses_what_steps_leave_in_the_log_and_reaches_its_end(
    bus: Made, topic: Topic, owner: str, source: Partition
) -> None:
    await bus.claim(owner)
    for i in range(3):
        await bus.advance(owner, {source: (i, i + 1)}, records(topic, [i]))
        await visible(bus, await bus.publish(records(topic, [f"{i}+"])))
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription, limit=2)
    base = 0
    for batch in batches:
        assert batch.base == base
        base = batch.next
    assert base == await bus.highwater(Partition(topic.name, 0))
    read_values = values(record for batch in batches for record in batch.records)
    assert read_values == ["0", "0+", "1", "1+", "2", "2+"]
