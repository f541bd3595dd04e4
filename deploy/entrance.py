"""What answers before there is an app: a start may take minutes, with states of many gigabytes."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_STARTING = {"status": "not ready", "missing": {"start": "the services are starting"}}
_EARLY = {"/livez": JSONResponse({"status": "alive"}), "/readyz": JSONResponse(_STARTING, 503)}


class Entrance:
    """An ASGI app that says that the process lives, and lets all else wait for another one.

    Nobody is sent away: a wall that hears 503 would not come back by itself.
    """

    def __init__(self) -> None:
        self._app: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()

    def open(self, app: ASGIApp) -> None:
        """Let everybody in."""
        self._app.set_result(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as soon as there is somebody to answer it."""
        if not self._app.done() and (early := _EARLY.get(scope.get("path", ""))):
            await early(scope, receive, send)
            return
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)
