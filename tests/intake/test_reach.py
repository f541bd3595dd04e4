"""Whether the log can be reached, as intake says while nobody posts."""

import asyncio

import pytest

from bus.port import Bus, Partition
from schemas.errors import Unavailable
from schemas.topics import HEARTBEATS, REGISTRY, REQUESTS, RESULTS, Topic
from services.intake.reach import Reach


class Away:
    """A log one of whose partitions may not say where it ends."""

    def __init__(self, log: Bus, gone: Partition) -> None:
        self.partitions = log.partitions
        self._gone, self.away = gone, False

    async def highwater(self, partition: Partition) -> int:
        if self.away and partition == self._gone:
            raise Unavailable(f"{partition.topic} has no leader")
        return 0


@pytest.mark.parametrize("topic", [REGISTRY, REQUESTS, RESULTS, HEARTBEATS], ids=lambda t: t.name)
async def test_one_partition_that_does_not_answer_makes_it_not_ready_until_it_does_again(
    log: Bus, topic: Topic
) -> None:
    away = Away(log, Partition(topic.name, log.partitions(topic) - 1))
    watched = Reach(away, every=0.0)  # type: ignore[arg-type]  # it asks for nothing else
    looking = asyncio.create_task(watched.run())
    told = f"the log does not answer: {topic.name} has no leader"
    for away.away, doubt in ((True, told), (False, None)):
        async with asyncio.timeout(5):
            while watched.doubt() != doubt:  # noqa: ASYNC110  # nobody is told of a look
                await asyncio.sleep(0)
    looking.cancel()
