"""Everybody who has to do with requests: they ask, look at what has become of it, and answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
import structlog

from deploy.demo.callers import Callers
from deploy.demo.event import Event
from deploy.demo.people import act, delivered
from deploy.demo.sender import Sender
from schemas.registry import ROOT

_log = structlog.get_logger(__name__)
MOST = 500
"""Open requests that are looked at: the newest."""


class Caseload:
    """Keeps requests moving; `speed` is how many times faster everybody is."""

    def __init__(
        self, client: httpx.AsyncClient, sender: Sender, callers: Callers, speed: float
    ) -> None:
        self._client, self._sender, self._callers, self._speed = client, sender, callers, speed
        self._said: set[str] = set()
        self._served: set[str] = set()

    async def step(self, now: datetime, seconds: float) -> None:
        """Ask for what is new, and do what is due about what is open."""
        asks = list(self._callers.step(now, seconds * self._speed))
        for case in await self._seen():
            asks += [ask for ask in act(case, now, self._speed) if self._first(ask)]
            if case["state"] == "resulted" and case["id"] not in self._served:
                self._served.add(case["id"])
                asks.append(delivered(case, now))
        if asks:
            await self._sender.post_all(asks, lambda _: None)

    def _first(self, ask: Event) -> bool:
        """Whether this was not asked before: its verdict may still be under way."""
        new = ask["subject"] not in self._said
        self._said.add(ask["subject"])
        return new

    async def _seen(self) -> list[Mapping[str, Any]]:
        """Return what is open; what cannot be seen now is looked at again a moment later."""
        try:
            return await self._open()
        except httpx.HTTPError as error:
            _log.warning("requests cannot be seen", error=repr(error))
            return []

    async def _open(self) -> list[Mapping[str, Any]]:
        asked = {"node": ROOT, "open": "true", "limit": str(MOST)}
        found = (await self._get("/v1/requests", asked))["requests"]
        return [await self._whole(one) if one["state"] == "offered" else one for one in found]

    async def _whole(self, case: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._get(f"/v1/requests/{case['id']}", {})

    async def _get(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        answer = await self._client.get(path, params=asked)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
