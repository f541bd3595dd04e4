"""HTTP as uvicorn speaks it, with an end to how much may come that is no body.

The parser gathers a header until it is complete, however long it is: without a bound, one
connection that needs no key could fill the memory.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LIMIT = 64 << 10
"""Bytes of request line and headers, or of trailers, that may come in one stretch.

The chunk in which a stretch begins is not counted, since a body may end in it.
"""
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class Bounded(HttpToolsProtocol):
    """Closes a connection whose headers go on and on."""

    _stretch = 0
    """Bytes since the request began, its headers were complete, or a part of its body came."""
    _answerable = True

    def data_received(self, data: bytes) -> None:
        """Parse `data`."""
        self._stretch += len(data)
        super().data_received(data)
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
