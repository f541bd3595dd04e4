"""Routes of the pages: GET /, GET /stations/{id}, and the files under /static."""

from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.types import Scope

from services.screens.pages.texts import language, texts

_HERE = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class _Revalidated(StaticFiles):
    """Files that a browser asks about each time, so an upgrade never mixes old and new scripts."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def pages(known: Callable[[str], bool], hub: str = "hub") -> APIRouter:
    """Return the pages; `known` says whether a node id exists, `hub` is the root's id."""
    router = APIRouter(include_in_schema=False)
    templates = Jinja2Templates(_HERE / "templates")

    def page(request: Request, name: str, status: int = 200, **context: str) -> HTMLResponse:
        lang = language(request.query_params.get("lang"))
        context |= {"hub": hub, "lang": lang}
        return templates.TemplateResponse(
            request, name, {"texts": texts(lang), **context}, status, _HEADERS
        )

    @router.get("/")
    async def hub_wall(request: Request) -> HTMLResponse:
        return page(request, "wall.html", node=hub, kind="hub")

    @router.get("/stations/{node_id}")
    async def station_wall(request: Request, node_id: str) -> HTMLResponse:
        if not known(node_id):
            return page(request, "missing.html", status=404)
        return page(request, "wall.html", node=node_id, kind="station")

    router.mount("/static", _Revalidated(directory=_HERE / "static"), name="static")
    return router
