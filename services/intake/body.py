"""Reading a request's body: of a type that is taken, never more than a limit, never for ever."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from fastapi import Request

from schemas.problems import Refusal

JSON = "application/json"
_LEAST = 65_536
"""What a body holds at least: so much of it the server may have read already."""
_SLOW = "the body did not arrive within {:g} seconds: send less at a time"


def media(request: Request, taken: Collection[str]) -> str:
    """Return the body's media type; raises Refusal (415) unless it is one of `taken`."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    if found not in taken:
        wanted = " or ".join(sorted(taken))
        raise Refusal(415, "media_type", f"send {wanted}, not {found or 'nothing'}")
    if coding != "identity":
        raise Refusal(415, "content_encoding", f"send it as it is, not as {coding}")
    return found


def expected(request: Request) -> bool:
    """Whether there is a body to read: a DELETE may have one, a GET has none."""
    if request.method != "DELETE":
        return request.method != "GET"
    length = request.headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in request.headers


class Room:
    """The bytes of bodies that are still arriving: `held` is never more than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Have a share of it meanwhile; raises Refusal (503, retriable) when it is full."""
        share = Share(self)
        try:
            share.grow(_LEAST)
            yield share
        finally:
            self.held -= share.size

    def take(self, size: int) -> None:
        """Hold more; raises Refusal (503, retriable) when it is full."""
        if self.held + size > self._limit:
            raise Refusal(503, "busy", "too much is being sent at the same time: come back soon")
        self.held += size


class Share:
    """What one body holds of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold at least `size` bytes; raises Refusal (503, retriable) when the room is full."""
        if size > self.size:
            self._room.take(size - self.size)
            self.size = size


class Limits(NamedTuple):
    """How a body may arrive: of which size, within how many seconds, into which room."""

    size: int
    seconds: float
    room: Room


async def read(request: Request, limits: Limits) -> bytes:
    """Return the body; raises Refusal as soon as it breaks a limit (413, 408, 503)."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.size:
        raise _too_large(limits.size)
    whole = bytearray()
    with limits.room.share() as share:
        try:
            async with asyncio.timeout(limits.seconds):
                async for chunk in request.stream():
                    if len(whole) + len(chunk) > limits.size:
                        raise _too_large(limits.size)
                    share.grow(len(whole) + len(chunk))
                    whole += chunk
        except TimeoutError:
            raise Refusal(408, "slow", _SLOW.format(limits.seconds)) from None
    return bytes(whole)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "size", f"the body is larger than {limit} bytes")
