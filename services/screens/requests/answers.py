"""What is told of one request, one ask, one offer."""

from typing import Any

from bus.port import Position
from schemas.problems import Refusal
from services.screens.desk import Desk
from services.screens.requests.asked import Asked, asked
from services.screens.requests.index import Requests
from services.screens.requests.people import People
from services.screens.requests.reading import Whole, deals, whole
from services.screens.requests.sight import Sight
from services.screens.requests.tables import OFFER
from services.screens.requests.waiting import Waiting, behind


class Answers:
    """Every answer waits until the index has passed `after`; what there is not is a 404."""

    def __init__(self, desk: Desk, requests: Requests) -> None:
        self._desk, self._requests = desk, requests
        self._waiting = Waiting(desk, requests)
        self._people = People(desk.views.chronicle.registry)

    async def request(
        self, eyes: Sight, request: str, after: Position | None, wait: float
    ) -> dict[str, Any]:
        """Return a request with its offer and its timeline; raises Forbidden."""
        await self._waiting.shown(after, self._waiting.patience(wait))
        version = self._requests.stir.version
        found = await self._requests.read(lambda c: whole(c, request))
        if found is None:
            raise unknown("request", request)
        if not eyes.sees(found.case.moved, found.parent, found.members):
            raise eyes.forbid(found.case.moved.node_id)
        return found.case.summary(self._people, self._desk.now, others=eyes.others) | {
            "version": version,
            "offer": found.offer and found.offer.told(self._people, others=eyes.others),
            "timeline": found.timeline,
        }

    async def verdict(
        self, eyes: Sight, names: tuple[str, str], after: Position | None, wait: float
    ) -> dict[str, Any]:
        """Return the verdict on an ask; it is pending while there is none. Raises Forbidden."""
        request, ask = names
        patience = self._waiting.patience(wait)
        await self._waiting.begun(patience)
        shown = after is None or await self._waiting.reached(after, patience)
        found, about = await self._requests.read(
            lambda c: (asked(c, ask, request, after), whole(c, request))
        )
        if found is None:
            raise unknown("ask", ask) if shown or after is None else behind(after)
        if not _concerns(eyes, found, about):
            raise eyes.forbid(about.case.moved.node_id if about else found.node or "?")
        return found.told(request, ask)

    async def offer(
        self, eyes: Sight, assignment: str, after: Position | None, wait: float
    ) -> dict[str, Any]:
        """Return an offer; raises Forbidden."""
        await self._waiting.shown(after, self._waiting.patience(wait))
        found = await self._requests.read(
            lambda c: deals(c, OFFER.c.assignment == assignment, limit=1)
        )
        if not found:
            raise unknown("offer", assignment)
        (deal,) = found
        member = eyes.subject in {member.id for member in deal.offer.members}
        if not (member or eyes.covers(deal.offer.node_id) or eyes.speaks(deal.offer.enterprise_id)):
            raise eyes.forbid(deal.offer.node_id)
        return deal.told(self._people, others=eyes.others)


def unknown(what: str, name: str) -> Refusal:
    """Return the error of something that there is not."""
    return Refusal(404, f"unknown_{what}", f"there is no {what} {name[:100]!r}")


def _concerns(eyes: Sight, ask: Asked, about: Whole | None) -> bool:
    """Whether a key sees an ask: of a request it sees, or that it was asked to serve once."""
    if about is None:
        return eyes.covers(ask.node or "") or eyes.speaks(ask.enterprise)
    once = eyes.subject in about.asked
    return once or eyes.sees(about.case.moved, about.parent, about.members)
