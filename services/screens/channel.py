"""The channel of one node: its document, its last changes, and who follows it."""

import asyncio
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi.sse import format_sse_event

from services.screens.patch import difference

write = msgspec.json.Encoder(decimal_format="number").encode
"""Writes JSON; Decimal becomes a number with just its digits."""

_GIVEN = re.compile("[0-9]{1,15}")  # a number as ids here have it, in no other script or length

PING = format_sse_event(comment="ping", event="ping", data_str="{}")
"""A comment for proxies, and an event for scripts, which cannot see comments."""


class Client:
    """Who follows: messages to send, at most `limit`; who falls behind further is dropped.

    What it begins with counts as one, however much it has missed.
    """

    def __init__(self, limit: int, first: bytes) -> None:
        self._limit = limit
        self._queue: deque[bytes] = deque([first] if first else [])
        self._news, self._end = asyncio.Event(), asyncio.Event()

    @property
    def dropped(self) -> bool:
        """Whether it was ended from this side."""
        return self._end.is_set()

    def tell(self, message: bytes) -> None:
        """Queue a message, or drop the client with all that it has not read."""
        if len(self._queue) >= self._limit:
            self.drop()
        else:
            self._queue.append(message)
            self._news.set()

    def drop(self) -> None:
        """End it; what it has not read is let go."""
        self._end.set()
        self._queue.clear()
        self._news.set()

    async def ended(self) -> None:
        """Wait until it is dropped."""
        await self._end.wait()

    async def next(self, ping: float) -> bytes | None:
        """Return what to send next: a ping after so many seconds of silence, None at the end."""
        if not self._queue and not self.dropped:
            self._news.clear()
            try:
                async with asyncio.timeout(ping):
                    await self._news.wait()
            except TimeoutError:
                return PING
        if self.dropped:
            return None
        messages = b"".join(self._queue)
        self._queue.clear()
        return messages


class Channel:
    """One node's stream: message n is the change from document n-1 to document n.

    Ids are `<epoch>-<n>`; the epoch is the channel's own, so an id of another channel, another
    node or another process is never mistaken for one of these.
    """

    def __init__(self, epoch: str, document: Mapping[str, Any], ring: int) -> None:
        self._epoch, self._document = epoch, document
        self._serial = 0
        self._ring: deque[bytes] = deque(maxlen=ring)
        self._snapshot: bytes | None = None
        self.clients: set[Client] = set()
        self.left = 0.0
        """When the last client left, on the loop's clock."""

    def advance(self, document: Mapping[str, Any]) -> None:
        """Take the next document; tell every client what changed, if anything but the time did."""
        patch = difference(self._document, document)
        if not patch.keys() - {"now"}:
            return
        self._document, self._snapshot = document, None
        self._serial += 1
        message = format_sse_event(data_str=write(patch).decode(), event="change", id=self._id)
        self._ring.append(message)
        for client in [c for c in self.clients if not c.dropped]:
            client.tell(message)

    def join(self, last_id: str | None, limit: int) -> Client:
        """Add a client that goes on after `last_id`, or begins with a snapshot."""
        missed = self._since(last_id)
        client = Client(limit, self._whole() if missed is None else b"".join(missed))
        self.clients.add(client)
        return client

    def _since(self, last_id: str | None) -> list[bytes] | None:
        """Return the changes after an id; None when they are not all here."""
        epoch, _, serial = (last_id or "").rpartition("-")
        if epoch != self._epoch or not _GIVEN.fullmatch(serial):
            return None
        missing = self._serial - int(serial)
        if not 0 <= missing <= len(self._ring):
            return None
        return list(self._ring)[len(self._ring) - missing :]

    def _whole(self) -> bytes:
        if self._snapshot is None:
            data = write({**self._document, "resumed": False}).decode()
            self._snapshot = format_sse_event(data_str=data, event="snapshot", id=self._id)
        return self._snapshot

    @property
    def _id(self) -> str:
        return f"{self._epoch}-{self._serial}"
