"""HTTP as uvicorn speaks it, with an end to what may come before anybody has shown a key.

The parser gathers a header until it is complete, however long it is and takes: without bounds, one
connection could fill the memory, and many that only stand there could leave no file for any other.
"""

import asyncio

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy import files
from deploy.later import later
from schemas.problems import Refusal

LIMIT = 64 << 10
"""Bytes of request line and headers, or of trailers, that may come in one stretch.

The chunk in which a stretch begins is not counted, since a body may end in it.
"""
PATIENCE = 20.0
"""Seconds that a connection gets to ask something."""
_LOOKS = frozenset(("/livez", "/readyz"))
"""What is answered also when there is no room: a full process is not a dead one."""
_TENTH = 10
_BUSY = later(
    Refusal(503, "busy", "too many connections are open: come back soon"), Connection="close"
)
_log = structlog.get_logger(__name__)
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class Bounded(HttpToolsProtocol):
    """Closes a connection whose headers go on and on, that asks nothing, or that is one too many.

    Whoever comes to the last tenth of the room is told to come back; who is already in stays.
    """

    room = staticmethod(files.connections)
    patience = PATIENCE
    _late: asyncio.TimerHandle | None = None
    _stretch = 0
    """Bytes since the request began, its headers were complete, or a part of its body came."""
    _answerable = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let somebody in, if there is room."""
        super().connection_made(transport)
        self._wait()
        count, room = len(self.connections), self.room()
        if count > room - room // _TENTH:
            _log.warning("too many connections", open=count)
            self.app = _full(self.app)
        if count > room:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let somebody go."""
        super().connection_lost(exc)
        self._wait_no_more()

    def _wait(self) -> None:
        """Begin to wait for a request, unless that has begun."""
        if self._late is None:
            self._late = self.loop.call_later(self.patience, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def data_received(self, data: bytes) -> None:
        """Parse `data`."""
        self._stretch += len(data)
        super().data_received(data)
        if getattr(self.cycle, "response_complete", True):
            self._wait()
        else:
            self._wait_no_more()
        if self._stretch > LIMIT and not self.transport.is_closing():
            if self._answerable:
                self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._stretch = 0
        # Amid what an earlier request of this connection is told, nothing else can be said.
        self._answerable = getattr(self.cycle, "response_complete", True)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer it."""
        self._stretch, self._answerable = 0, False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a part of its body on."""
        self._stretch = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End it."""
        self._stretch = 0
        super().on_message_complete()


def _full(app: ASGIApp) -> ASGIApp:
    """Return what answers in the place of `app` where there is no room."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (app if scope["path"] in _LOOKS else _BUSY)(scope, receive, send)

    return answer
