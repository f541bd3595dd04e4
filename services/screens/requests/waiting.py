"""Waiting until the index shows what somebody asks about."""

from dataclasses import dataclass

from bus.port import Position
from schemas.errors import Invalid
from schemas.problems import Refusal
from schemas.topics import ASSIGNMENTS, REGISTRY, REQUESTS
from services.screens.desk import Desk
from services.screens.patience import Patience
from services.screens.requests.index import Requests


@dataclass(frozen=True, slots=True)
class Waiting:
    """What must have been read before a question about requests can be answered."""

    desk: Desk
    requests: Requests

    def patience(self, wait: float) -> Patience:
        """Return how long a question may wait from now on: one about requests shows a key."""
        return self.desk.patience(wait, keyed=True)

    async def begun(self, patience: Patience) -> None:
        """Wait until all that the log held at the start is read; raises a 503."""
        await self.desk.counters.over(patience)
        await self.requests.start.over(patience)

    async def shown(self, after: Position | None, patience: Patience) -> None:
        """Wait until what lies at a position is shown as well; raises a 504 when it is not."""
        await self.begun(patience)
        if after is not None and not await self.reached(after, patience):
            raise behind(after)

    async def reached(self, after: Position, patience: Patience) -> bool:
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
        source = self.desk.source(after)
        for mark in marks:
            if not await mark.passed(source, after.offset, patience):
                return False
        return True


def behind(after: Position) -> Refusal:
    """Return the error of a position that is not shown in time."""
    return Refusal(504, "behind", f"{after} is not shown yet")
