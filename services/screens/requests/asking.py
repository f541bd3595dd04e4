"""GET /v1/requests, /v1/offers, /v1/enterprises/{id}/requests: for keys, what is theirs to see."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from bus.port import Position
from services.screens.asked import holder, position
from services.screens.counting import After, Wait
from services.screens.desk import Desk
from services.screens.requests.answers import Answers
from services.screens.requests.index import Requests
from services.screens.requests.lists import Lists
from services.screens.requests.sight import Sight
from services.screens.requests.wanted import WantedOffers, WantedRequests
from services.screens.told import ToldRoute, told


def asking(desk: Desk, requests: Requests) -> APIRouter:
    """Return the routes of requests and offers; all of them take a key."""
    router = APIRouter(tags=["requests"], route_class=ToldRoute)
    answers, lists = Answers(desk, requests), Lists(desk, requests)

    def sight(request: Request) -> Sight:
        return Sight(holder(desk.keys, request), desk.views.chronicle.registry, desk.today)

    @router.get("/v1/requests")
    async def listed(request: Request, wanted: Annotated[WantedRequests, Query()]) -> Response:
        """Return requests, the newest first; with `version`, once they may have changed since.

        A key that speaks for somebody gets theirs; another those of `node` and below, which is its
        whole scope unless said otherwise.
        """
        return told(await lists.requests(sight(request), wanted))

    @router.get("/v1/requests/{request_id}")
    async def one(
        request: Request, request_id: str, after: After = None, wait: Wait = 5
    ) -> Response:
        """Return where a request stands, who serves, what may be asked now, and how it came."""
        return told(await answers.request(sight(request), request_id, _place(after), wait))

    @router.get("/v1/requests/{request_id}/asks/{ask}")
    async def verdict(
        request: Request, request_id: str, ask: str, after: After = None, wait: Wait = 5
    ) -> Response:
        """Return what matching has answered to an ask; `after` waits until it has."""
        return told(await answers.verdict(sight(request), (request_id, ask), _place(after), wait))

    @router.get("/v1/offers")
    async def offered(request: Request, wanted: Annotated[WantedOffers, Query()]) -> Response:
        """Return the offers made to a resource, the newest first, waiting as requests do."""
        return told(await lists.offers(sight(request), wanted))

    @router.get("/v1/offers/{assignment}")
    async def offer(
        request: Request, assignment: str, after: After = None, wait: Wait = 5
    ) -> Response:
        """Return one offer: whom it asks, why them, what has become of it."""
        return told(await answers.offer(sight(request), assignment, _place(after), wait))

    @router.get("/v1/enterprises/{enterprise_id}/requests")
    async def of_enterprise(request: Request, enterprise_id: str) -> Response:
        """Return an enterprise's last requests, each with its timeline: those the key sees."""
        return told(await lists.enterprise(sight(request), enterprise_id))

    return router


def _place(after: str | None) -> Position | None:
    return position(after) if after else None
