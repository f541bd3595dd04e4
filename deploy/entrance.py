"""What answers before there is an app: a start may take minutes, with states of many gigabytes."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bus.gate import Gate
from deploy.later import later
from schemas.problems import Refusal

MOST = 500
"""Requests that wait for the start at the same time."""
LONGEST = 60.0
"""Seconds that one waits."""
_STARTING = {"status": "not ready", "missing": {"start": "the services are starting"}}
_EARLY = {"/livez": JSONResponse({"status": "alive"}), "/readyz": JSONResponse(_STARTING, 503)}


class Entrance:
    """An ASGI app that says that the process lives, and lets all else wait for another one.

    Most starts are short: who waits is answered without another try. Those for whom that becomes
    too long, or who are too many, are told to come back.
    """

    def __init__(self, most: int = MOST, longest: float = LONGEST) -> None:
        self._app: asyncio.Future[ASGIApp] = asyncio.get_running_loop().create_future()
        self._gate, self._longest = Gate(most, "requests wait for the services to start"), longest

    def open(self, app: ASGIApp) -> None:
        """Let everybody in."""
        self._app.set_result(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as soon as there is somebody to answer it."""
        if not self._app.done() and (early := _EARLY.get(scope.get("path", ""))):
            await early(scope, receive, send)
            return
        try:
            app = await self._opened()
        except Refusal as error:
            app = later(error)
        await app(scope, receive, send)

    async def _opened(self) -> ASGIApp:
        if self._app.done():
            return self._app.result()
        with self._gate.entered():
            try:
                async with asyncio.timeout(self._longest):
                    return await asyncio.shield(self._app)
            except TimeoutError:
                raise Refusal(503, "starting", "the services are starting: come back") from None
