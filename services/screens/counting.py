"""GET /v1/counters, GET /v1/live: the numbers, for anybody.

Without a key there are no slices by product: a problem of a product that few make points to those
few. A key whose scope covers the node sees them; one that does not sees what anybody sees. Benefits
come in totals by kind, state and basis, which name neither product nor enterprise.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bus.state import State
from schemas.days import ALL, Period, business_day
from schemas.problems import Refusal
from schemas.registry import ROOT
from services.screens.aside import Aside
from services.screens.asked import moment, position, visitor
from services.screens.desk import Desk
from services.screens.gauges import gauges, indicators
from services.screens.live import Live
from services.screens.measures import measures, untold
from services.screens.past import GoOn, Scope, totals
from services.screens.stamps import instant, stamped
from services.screens.stream import Stream
from services.screens.told import ToldRoute, told

Wait = Annotated[float, Query(ge=0, description="seconds to wait for `after`")]
After = Annotated[str | None, Query(description="a position TOPIC:PARTITION:OFFSET to wait for")]
_SOON = 5.0  # seconds that a wall waits for the start to be over
AsOf = Annotated[str | None, Query(description="RFC 3339: what was known then")]


def counting(desk: Desk, live: Live, state: State, past: Aside) -> APIRouter:
    """Return the routes of counters and live documents; what was known earlier is told aside."""
    router = APIRouter(tags=["counters"], route_class=ToldRoute)

    @router.get("/v1/counters")
    async def counters(  # noqa: PLR0913, PLR0917  # the parameters of the question
        request: Request,
        node: str = ROOT,
        period: str = ALL,
        as_of: AsOf = None,
        after: After = None,
        wait: Wait = 5,
    ) -> Response:
        """Return a node's measures in a period, with how far they can be trusted.

        Slices by product are told only to a key whose scope covers the node.
        """
        days = Period.parse(period)
        then = None if as_of is None else moment(as_of)
        reached = position(after) if after else None
        who = visitor(desk.keys, request)
        patience = desk.patience(wait, keyed=who is not None)
        await desk.counted(reached, patience)
        await desk.known(node, patience)
        whole = desk.whole(node, who)
        if then is None:
            return told(_now(desk, node, days, whole=whole))
        await desk.indexed_to_end(patience)
        return told(await past.run(earlier, (node, days, then), whole=whole))

    def earlier(asked: tuple[str, Period, int], *, whole: bool) -> dict[str, Any]:
        return _then(desk, state, past.go_on, asked, whole=whole)

    @router.get("/v1/live")
    async def follow(request: Request, node: str = ROOT) -> Response:
        """Follow a node: `snapshot`, then `change` events holding JSON merge patches.

        In a merge patch null takes a member out: after a change, what is missing is null.
        `Last-Event-ID` goes on without gap or repeat; where that cannot be, a new snapshot comes
        whose `resumed` is false. Slices by product are told only to a key that covers the node.
        """
        who = visitor(desk.keys, request)
        patience = desk.patience(_SOON, keyed=who is not None)
        await desk.counted(None, patience)
        await live.begun(patience)
        await desk.known(node, desk.patience(1, keyed=who is not None))
        last_id, whole = request.headers.get("last-event-id"), desk.whole(node, who)
        return Stream(lambda: live.follow(node, last_id, whole=whole), desk.settings.live_ping)

    return router


def _now(desk: Desk, node: str, period: Period, *, whole: bool) -> dict[str, Any]:
    now, today = desk.now, desk.today
    health = desk.wall.health(node, today, now)
    day = min(period.last or today, today)
    return {
        "node": node,
        "period": period.text,
        "as_of": stamped(now),
        **health,
        "measures": desk.wall.measures(node, period, day, whole=whole),
        "indicators": indicators(desk.views.chronicle.registry.nodes.get(node)),
    }


def _then(
    desk: Desk,
    state: State,
    go_on: GoOn,
    asked: tuple[str, Period, int],
    *,
    whole: bool,
) -> dict[str, Any]:
    """Return the answer as it was known at a time; how complete that was, nobody wrote down.

    What is counted from requests and offers is null: the fact index does not hold them.
    """
    node, period, then = asked
    chronicle = desk.views.chronicle.at(then)
    if not chronicle.known(node):
        raise Refusal(404, "unknown_node", f"there was no node {node[:64]!r} yet")
    registry = chronicle.registry
    scope = Scope(period, chronicle.ever_below(node), as_of=then)

    with state.read() as connection:
        found = totals(connection, scope, lambda n, day: registry.covers(node, n, day), go_on)
    values = {
        key: n if isinstance(n, int) else len({registry.resolve(member) for member in n})
        for key, n in found.items()
    }
    day = business_day(instant(then))
    known = gauges(chronicle, node, min(period.last or day, day))
    return {
        "node": node,
        "period": period.text,
        "as_of": stamped(then),
        "complete_to": None,
        "silent": [],
        "waiting": None,
        "drift": "unknown",
        "audited_at": None,
        "measures": measures(values, whole=whole) | untold() | known,
        "indicators": indicators(registry.nodes.get(node)),
    }
