"""A matcher that cannot write its decisions says so, also while nobody asks anything."""

from typing import Any

from bus import Bus, Partition
from schemas.errors import Unavailable
from schemas.topics import ASSIGNMENTS, REGISTRY
from tests.matching.running import matching, until


class Away:
    """A log one of whose partitions does not say where it ends."""

    def __init__(self, log: Bus, gone: Partition) -> None:
        self._log, self._gone = log, gone

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def highwater(self, partition: Partition) -> int:
        if partition == self._gone:
            raise Unavailable(f"{partition.topic} has no leader")
        return await self._log.highwater(partition)


async def test_one_partition_without_a_leader_makes_it_not_ready_until_it_has_one(
    log: Bus,
) -> None:
    async with matching(log) as worker:
        for gone in (Partition(REGISTRY.name, 0), Partition(ASSIGNMENTS.name, 2)):
            away: Any = Away(log, gone)
            worker.means = worker.means._replace(log=away)
            told = {"matching": f"the log does not answer: {gone.topic} has no leader"}
            await until(lambda told=told: worker.ready() == told)  # type: ignore[misc]
            worker.means = worker.means._replace(log=log)
            await until(lambda: worker.ready() == {})
