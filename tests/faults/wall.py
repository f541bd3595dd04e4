"""A wall that follows a node, comes back whenever its line is cut, and now and then cuts it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple, Self

import httpx

from services.screens.patch import merge
from tests.faults.beside import Beside

SILENCE = 30.0
"""Seconds without a sign of life after which a line counts as cut: twice as long as may be."""
PAUSE = 0.2
"""Seconds until it comes back."""
ENOUGH = 40
"""It hangs up after at most so many messages."""


class Message(NamedTuple):
    """What screens have sent: its kind, its id, and what it says."""

    event: str
    epoch: str
    serial: int
    data: Any


class Wall:
    """Merges what it is told as pages do: a snapshot, then changes, from the last id on.

    `figures` tell how often it came back, and was told to begin anew.
    """

    def __init__(self, screens: str, node: str, dice: Random) -> None:
        self._url, self._asked = f"{screens}/v1/live", {"node": node}
        self._dice = Random(dice.random())
        self._last: Message | None = None
        self._document: dict[str, Any] = {}
        self.figures: Counter[str] = Counter()
        self._beside = Beside(self._watch, "wall")

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    def shows(self, snapshot: dict[str, Any]) -> bool:
        """Whether it shows just what a new wall is told."""
        self._beside.alive()
        return bool(_bare(self._document) == _bare(snapshot))

    def differs(self, snapshot: dict[str, Any]) -> str:
        """Return where it shows something else than a new wall is told."""
        now, then = _bare(self._document), _bare(snapshot)
        return str({k: (now.get(k), then.get(k)) for k in now | then if now.get(k) != then.get(k)})

    async def _watch(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=SILENCE) as http, asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._for_ever(http))
            await stop.wait()
            watching.cancel()

    async def _for_ever(self, http: httpx.AsyncClient) -> None:
        while True:
            with suppress(httpx.TransportError):
                await self._connected(http)
            await asyncio.sleep(PAUSE)

    async def _connected(self, http: httpx.AsyncClient) -> None:
        """Follow until the line is cut, or for some messages."""
        last, left = self._last, self._dice.randint(1, ENOUGH)
        headers = {"Last-Event-ID": f"{last.epoch}-{last.serial}"} if last else {}
        asked = http.stream("GET", self._url, params=self._asked, headers=headers)
        async with asked as stream:
            assert stream.status_code in {200, 503}, stream.status_code
            async for message in _messages(stream):
                if message.event != "ping":
                    if last is self._last is not None:
                        self.figures[_BACK[message.event]] += 1
                    self._take(message)
                    left -= 1
                if not left:
                    self.figures["hung_up"] += 1
                    return

    def _take(self, message: Message) -> None:
        last = self._last
        if message.event == "snapshot":
            assert message.data["resumed"] is False
            self._document = message.data
        else:
            expected = (last.epoch, last.serial + 1) if last else None
            found = message.epoch, message.serial
            assert found == expected, f"a gap or a repeat: {found} instead of {expected}"
            self._document = merge(self._document, message.data)
        self._last = message
        self.figures["messages"] += 1


_BACK = {"change": "resumed", "snapshot": "begun_anew"}


async def _messages(stream: httpx.Response) -> AsyncIterator[Message]:
    """Yield what comes; whoever is not let in gets nothing."""
    said: dict[str, str] = {}
    async for line in stream.aiter_lines():
        if stream.status_code == 200 and not line and said:
            epoch, _, serial = said.get("id", "-0").rpartition("-")
            yield Message(said["event"], epoch, int(serial), json.loads(said["data"]))
            said = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(":")
            said[name] = value.removeprefix(" ")


def _bare(document: Any) -> Any:  # any JSON value
    """Take out what is null: after a change, what is missing is."""
    if not isinstance(document, dict):
        return document
    return {name: _bare(value) for name, value in document.items() if value is not None}
