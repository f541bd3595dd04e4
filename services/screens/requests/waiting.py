"""Waiting until the index shows what somebody asks about."""

from asyncio import get_running_loop
from dataclasses import dataclass

from bus.port import Partition, Position
from schemas.errors import Invalid
from schemas.problems import Refusal
from schemas.topics import ASSIGNMENTS, REGISTRY, REQUESTS
from services.screens.desk import Desk
from services.screens.requests.index import Requests


@dataclass(frozen=True, slots=True)
class Waiting:
    """What must have been read before a question about requests can be answered."""

    desk: Desk
    requests: Requests

    async def begun(self, wait: float) -> None:
        """Wait until all that the log held at the start is read; raises a 503."""
        patience = self.desk.patience(wait)
        await self.desk.counters.over(patience)
        await self.requests.start.over(patience)

    async def shown(self, after: Position | None, wait: float) -> None:
        """Wait until what lies at a position is shown as well; raises a 504 when it is not."""
        await self.begun(wait)
        if after is not None and not await self.reached(after, wait):
            raise behind(after)

    async def reached(self, after: Position, wait: float) -> bool:
        """Wait until a record is shown: of the topic requests, until it was decided on.

        Raises Invalid naming the field `after` when it is of a topic that requests do not show.
        """
        marks = {
            REQUESTS.name: (self.requests.decided, self.requests.marks),
            ASSIGNMENTS.name: (self.requests.marks,),
            REGISTRY.name: (self.desk.views.read,),
        }.get(after.topic)
        if marks is None:
            raise Invalid("after", "topic", f"no position of {after.topic} can be waited for here")
        source, clock = Partition(after.topic, after.partition), get_running_loop().time
        end = clock() + self.desk.patience(wait)
        for mark in marks:
            if not await mark.passed(source, after.offset, max(0.0, end - clock())):
                return False
        return True


def behind(after: Position) -> Refusal:
    """Return the error of a position that is not shown in time."""
    return Refusal(504, "behind", f"{after} is not shown yet")
