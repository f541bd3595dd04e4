"""The way in that all routes share: who it is, whether there is room, is it right, is it kept."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from fastapi import Request

from bus.keys import Keys, Principal, Role
from bus.port import Bus, Position
from schemas.days import business_day
from schemas.envelope import CONTENT_TYPE
from schemas.errors import LogError, YizhanError
from schemas.topics import REGISTRY
from services.intake import body
from services.intake.check import Admissible, Checks
from services.intake.draft import Draft
from services.intake.gate import Gate
from services.intake.metrics import Metrics
from services.intake.principal import identify
from services.intake.settings import Settings
from services.intake.view import Outlook, View

BATCHES = (CONTENT_TYPE, "application/cloudevents-batch+json", "application/x-ndjson")
Clock = Callable[[], datetime]
_log = structlog.get_logger(__name__)
_DOUBT = timedelta(seconds=5)
"""How long a failed write makes intake say that it is not ready."""


class Visit(NamedTuple):
    """Who came in, with what; a body that is not there is empty and of no media type."""

    principal: Principal
    media: str
    body: bytes


class Way:
    """One way in: bodies of which types, how they may arrive, and how many are worked on."""

    def __init__(self, taken: Collection[str], limits: body.Limits, places: int) -> None:
        self.taken, self.limits, self.gate = taken, limits, Gate(places)


class Door:
    """One intake's parts. `clock` is the hub's, with a time zone."""

    def __init__(  # noqa: PLR0913, PLR0917  # everything it is made of
        self, log: Bus, keys: Keys, view: View, settings: Settings, metrics: Metrics, clock: Clock
    ) -> None:
        self._log, self._keys, self.view, self.settings = log, keys, view, settings
        self.metrics, self.clock = metrics, clock
        metrics.registry.set_function(lambda: view.position)
        self._checks = Checks(log, timedelta(hours=settings.future_hours))
        self.posts = Way({body.JSON}, self._limits(settings.post_bytes), settings.posts_in_flight)
        self.batches = Way(BATCHES, self._limits(settings.batch_bytes), settings.batches_in_flight)
        self._failed: tuple[datetime, LogError] | None = None

    def today(self) -> str:
        """Return the business day that it is now."""
        return business_day(self.clock())

    def _limits(self, size: int) -> body.Limits:
        return body.Limits(
            size, self.settings.body_seconds, body.Room(self.settings.arriving_bytes)
        )

    @asynccontextmanager
    async def enter(
        self, request: Request, way: "Way", role: Role = Role.WRITER
    ) -> AsyncIterator["Visit"]:
        """Be one of the posts that are being worked on, for whoever shows a key of this role.

        The body is here by then: who sends slowly takes no place from anybody.
        """
        try:
            principal = identify(self._keys, request, role)
            media, raw = "", b""
            if body.expected(request):
                media = body.media(request, way.taken)
                raw = await body.read(request, way.limits)
            with way.gate.entered(), self.metrics.inside.track_inprogress():
                yield Visit(principal, media, raw)
        except YizhanError as error:
            self.metrics.refuse(error)
            raise

    async def admit(self, draft: Draft, principal: Principal, outlook: Outlook) -> Admissible:
        """Judge a draft; raises what is wrong with it."""
        now = self.clock()
        if draft.kind.topic is REGISTRY:
            await outlook.refresh()
        return await outlook.judge(
            lambda registry: self._checks.admit(draft, principal, registry, now)
        )

    async def publish(self, admitted: Sequence[Admissible]) -> list[Position]:
        """Write events; they are durable when this returns. Raises LogError."""
        try:
            with self.metrics.publish.time():
                positions = await self._log.publish([one.record for one in admitted])
        except LogError as error:
            self._failed = self.clock(), error
            _log.warning("not published", events=len(admitted), error=str(error))
            raise
        self._failed = None
        for one in admitted:
            self.metrics.events.labels(one.event.kind.name).inc()
        return positions

    def ready(self) -> dict[str, str]:
        """Return what is not ready, and why."""
        missing = {}
        if self.view.end is None or self.view.position < self.view.end:
            missing["registry"] = f"read up to {self.view.position} of {self.view.end}"
        if self._failed is not None and self.clock() - self._failed[0] < _DOUBT:
            missing["log"] = str(self._failed[1])
        return missing
