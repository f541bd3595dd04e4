"""Routes of the pages: walls, desks, cards, enterprises, single requests; files under /static."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.types import Scope

from schemas.decisions import State
from schemas.lifecycle import HEAD, PERFORMER, TABLE, legal
from services.screens.pages.texts import language, texts

_HERE = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
LEGAL = {
    "performing": {state: legal(state, PERFORMER) for state in get_args(State)},
    "heads": [row.ask for row in TABLE if row.by == HEAD],
}
"""What an answer does not say itself: what who serves may ask, by state; what only heads may."""
Show = Callable[..., HTMLResponse]
"""Renders a template: (request, name, status, what it shows)."""


class _Revalidated(StaticFiles):
    """Files that a browser asks about each time, so an upgrade never mixes old and new scripts."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def pages(known: Callable[[str], bool], hub: str = "hub") -> APIRouter:
    """Return the pages; `known` says whether a node id exists, `hub` is the root's id.

    None of them needs a key: what they show is fetched by their scripts, with the key of who looks.
    """
    router = APIRouter(include_in_schema=False)
    templates = Jinja2Templates(_HERE / "templates")

    def show(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401  # whatever a template shows
        lang = language(request.query_params.get("lang"))
        context |= {"hub": hub, "lang": lang, "texts": texts(lang)}
        return templates.TemplateResponse(request, name, context, status, _HEADERS)

    _walls(router, show, known, hub)
    _work(router, show, known)
    router.mount("/static", _Revalidated(directory=_HERE / "static"), name="static")
    return router


def _walls(router: APIRouter, show: Show, known: Callable[[str], bool], hub: str) -> None:
    @router.get("/")
    async def hub_wall(request: Request) -> HTMLResponse:
        return show(request, "wall.html", node=hub, kind="hub")

    @router.get("/stations/{node_id}")
    async def station_wall(request: Request, node_id: str) -> HTMLResponse:
        if not known(node_id):
            return show(request, "missing.html", 404)
        return show(request, "wall.html", node=node_id, kind="station")


def _work(router: APIRouter, show: Show, known: Callable[[str], bool]) -> None:
    def work(request: Request, name: str, subject: str) -> HTMLResponse:
        return show(request, f"{name}.html", page=name, subject=subject, legal=LEGAL)

    @router.get("/desk/{node_id}")
    async def desk(request: Request, node_id: str) -> HTMLResponse:
        if not known(node_id):
            return show(request, "missing.html", 404)
        return work(request, "desk", node_id)

    @router.get("/cards/{resource}")
    async def cards(request: Request, resource: str) -> HTMLResponse:
        return work(request, "cards", resource)

    @router.get("/enterprise/{enterprise_id}")
    async def enterprise(request: Request, enterprise_id: str) -> HTMLResponse:
        return work(request, "enterprise", enterprise_id)

    @router.get("/request/{request_id}")
    async def case(request: Request, request_id: str) -> HTMLResponse:
        return work(request, "request", request_id)
