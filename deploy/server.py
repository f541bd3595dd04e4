"""The HTTP server: its socket, taken before anything else starts, and its end."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from deploy.protocol import Bounded
from deploy.requests import Requests
from schemas.errors import Unusable


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen on `host:port`; port 0 is any free one. Unusable when that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # a name too long for DNS is the latter
        raise Unusable(
            f"cannot listen on {host}:{port}: {_reason(error)}; --port and --host name another"
        ) from error
    with opened:
        yield opened


def _reason(error: OSError | UnicodeError) -> str:
    # What create_server adds to the system's words only repeats the address.
    return str(getattr(error, "strerror", None) or error).partition(" (while ")[0]


def address(opened: socket.socket) -> str:
    """Return the URL that people open."""
    host, port = opened.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


async def serve(
    requests: Requests,
    opened: socket.socket,
    stop: asyncio.Event,
    protocol: type[Bounded] = Bounded,
) -> None:
    """Answer requests until `stop` is set, then end what is under way.

    A fault elsewhere in the process cancels this: then, too, nobody is told that it was his own.
    """
    server = _Server(_config(requests, protocol))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([opened]))
        try:
            await stop.wait()
        finally:
            await requests.end()
        server.should_exit = True


def _config(requests: Requests, protocol: type[Bounded]) -> uvicorn.Config:
    return uvicorn.Config(
        requests,
        http=protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: they end the process as a whole, not the server."""
        yield
