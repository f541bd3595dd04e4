"""The ends of many partitions are one question."""

import asyncio

from bus.ends import ends
from bus.port import Partition
from schemas.topics import RESULTS

PLACES = [Partition(RESULTS.name, number) for number in range(3)]


class Log:
    """Answers nobody before all have asked."""

    def __init__(self) -> None:
        self._asked = asyncio.Barrier(len(PLACES))

    async def highwater(self, place: Partition) -> int:
        await self._asked.wait()
        return 10 + place.number


async def test_all_are_asked_before_the_first_has_an_answer() -> None:
    async with asyncio.timeout(5):
        found = await ends(Log(), iter(PLACES))  # type: ignore[arg-type]  # only what is asked for
    assert found == {place: 10 + place.number for place in PLACES}
