"""GET /v1/facts/…, GET /v1/counters/…/facts: the statements behind the numbers, for keys."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bus.keys import Principal
from bus.port import Position
from bus.state import State
from schemas.days import Period
from schemas.problems import Refusal
from schemas.types import PREFIX, TARGETS
from services.screens.aside import Aside
from services.screens.asked import holder, moment, position
from services.screens.counting import After, AsOf, Wait
from services.screens.desk import Desk
from services.screens.measures import named
from services.screens.parts import Cut, Page, Wanted, page
from services.screens.past import GoOn, Scope
from services.screens.timeline import Timeline
from services.screens.told import ToldRoute, told

Limit = Annotated[int, Query(ge=1, le=1000, description="facts, or enterprises of a set")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]


def facting(desk: Desk, state: State, looks: Aside, pages: Aside) -> APIRouter:
    """Return the routes of facts; they take a key whose scope covers the node.

    One subject is a matter of a look; for a page, all that a number consists of may be read.
    """
    router = APIRouter(tags=["facts"], route_class=ToldRoute)
    reading = Reading(desk, state)

    @router.get("/v1/facts/{type}/{subject}")
    async def fact(  # noqa: PLR0913, PLR0917  # the parameters of the question
        request: Request, type: str, subject: str,  # noqa: A002  # as the path says
        as_of: AsOf = None, after: After = None, wait: Wait = 5,
    ) -> Response:  # fmt: skip
        """Return what stands, its timeline, what it waits for; with `after`, the verdict there."""
        principal = holder(desk.keys, request)
        place = position(after) if after else None
        slot = type if type.startswith(PREFIX) else PREFIX + type
        if slot not in TARGETS:
            raise Refusal(404, "unknown_type", f"there is no type of fact {slot[:80]!r}")
        then = moment(as_of) if as_of else None
        await desk.found(place, desk.patience(wait, keyed=True))
        timeline = await looks.run(reading.timeline, subject, then)
        return told(reading.fact(principal, timeline, (slot, subject), place))

    @router.get("/v1/counters/{node}/{period}/{measure}/facts")
    async def parts(  # noqa: PLR0913, PLR0917  # the parameters of the question
        request: Request, node: str, period: str, measure: str,
        as_of: AsOf = None, after: After = None, wait: Wait = 5,
        limit: Limit = 100, cursor: Cursor = None,
    ) -> Response:  # fmt: skip
        """Return the facts that a number consists of, by enterprise if it counts 家.

        `measure` may be a slice such as `services_delivered;element=STD`. What lies in the page
        is what stands now (or stood at `as_of`); `next` is the `cursor` of the page after.
        """
        principal = holder(desk.keys, request)
        days, counted = Period.parse(period), named(measure)
        if counted is None:
            raise Refusal(404, "unknown_measure", f"no facts are counted as {measure[:80]!r}")
        scope = Scope(days, kind=counted.fact, as_of=moment(as_of) if as_of else None)
        patience = desk.patience(wait, keyed=True)
        await desk.found(position(after) if after else None, patience)
        await desk.known(node, patience)
        reading.permit(principal, {node}, desk.today)
        cut = Cut(cursor, limit)
        found = await pages.run(reading.page, node, scope, measure, cut, pages.go_on)
        answer = {"node": node, "period": period, "measure": measure, "unit": counted.unit}
        return told(answer | {"facts": found.rows, "next": found.next})

    return router


class Reading:
    """What the routes ask of the index."""

    def __init__(self, desk: Desk, state: State) -> None:
        self._desk, self._state = desk, state

    def permit(self, principal: Principal, nodes: set[str], day: str) -> None:
        """Raise Forbidden unless the key reads one of these nodes on a day."""
        registry = self._desk.views.chronicle.registry
        if not any(principal.reads(registry, node, day) for node in nodes):
            raise principal.forbidden(min(nodes))

    def timeline(self, subject: str, then: int | None) -> Timeline:
        """Return what was stated about a subject."""
        with self._state.read() as connection:
            return Timeline.read(connection, subject, then)

    def fact(
        self,
        principal: Principal,
        timeline: Timeline,
        slot: tuple[str, str],
        place: Position | None,
    ) -> dict[str, Any]:
        """Return a fact as the route tells it; raises Forbidden or a 404."""
        now = timeline.standing(slot[0])
        origin = {slot[1].partition(".")[0]}
        self.permit(principal, origin | ({now.node} if now else set()), self._desk.today)
        found = timeline.fact(slot[0])
        if found is None:
            raise Refusal(404, "unknown_fact", f"nothing was stated about {slot[1][:100]!r}")
        if place is None:
            return found
        asked = timeline.at(place)
        return found | {"verdict": asked and timeline.entry(asked)}

    def page(self, node: str, scope: Scope, key: str, cut: Cut, go_on: GoOn) -> Page:
        """Return a page of the facts behind a number."""
        chronicle = self._desk.views.chronicle
        then = chronicle if scope.as_of is None else chronicle.at(scope.as_of)
        registry = then.registry
        wanted = Wanted(key, lambda n, day: registry.covers(node, n, day), registry.resolve)
        with self._state.read() as connection:
            scope = scope._replace(nodes=then.ever_below(node))
            return page(connection, scope, wanted, cut, go_on)
