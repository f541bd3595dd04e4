"""The way in that all routes share: who it is, whether there is room, is it right, is it kept."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from fastapi import Request

from bus.gate import Gate
from bus.keys import Keys, Principal, Role
from bus.port import Bus, Position
from schemas.days import business_day
from schemas.envelope import CONTENT_TYPE
from schemas.errors import LogError, YizhanError
from schemas.pools import owner
from schemas.topics import REGISTRY, REQUESTS
from services.intake import body
from services.intake.cases import Cases
from services.intake.check import Admissible, Checks
from services.intake.doubt import Doubt
from services.intake.draft import Draft
from services.intake.metrics import Metrics
from services.intake.outlook import Outlook
from services.intake.principal import identify
from services.intake.reach import Reach
from services.intake.rounds import Rounds
from services.intake.settings import Settings
from services.intake.view import View

BATCHES = (CONTENT_TYPE, "application/cloudevents-batch+json", "application/x-ndjson")
Clock = Callable[[], datetime]
_log = structlog.get_logger(__name__)
SUBMITTED = "yizhan.request.submitted"


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

    def __init__(
        self, log: Bus, keys: Keys, settings: Settings, metrics: Metrics, clock: Clock
    ) -> None:
        self._log, self._keys, self.settings = log, keys, settings
        self.metrics, self.clock = metrics, clock
        self.view = View(log, settings.registry_seconds)
        self.cases = Cases(log, settings.registry_seconds, settings.asks_remembered)
        metrics.registry.set_function(lambda: self.view.position)
        self._checks = Checks(log, timedelta(hours=settings.future_hours))
        self.posts = Way({body.JSON}, self._limits(settings.post_bytes), settings.posts_in_flight)
        self.batches = Way(BATCHES, self._limits(settings.batch_bytes), settings.batches_in_flight)
        self.reach = Reach(log)
        self.items = Gate(settings.items_in_flight, "events of batches are being worked on")
        self.rounds = Rounds()
        self._doubt = Doubt(log, clock)

    def today(self) -> str:
        """Return the business day that it is now."""
        return business_day(self.clock())

    def outlook(self) -> Outlook:
        """Return what a new post sees."""
        return Outlook(self.view, self.cases)

    def _limits(self, size: int) -> body.Limits:
        return body.Limits(
            size, self.settings.body_seconds, body.Room(self.settings.arriving_bytes)
        )

    @asynccontextmanager
    async def enter(
        self, request: Request, way: "Way", role: Role = Role.WRITER
    ) -> AsyncIterator["Visit"]:
        """Be one of the posts that are being worked on, for whoever shows a key of this role.

        The body is here by then: who sends slowly takes no place from anybody. Where there is no
        place anyway, that is told before the body is read.
        """
        try:
            principal = identify(self._keys, request, role)
            media, raw = "", b""
            way.gate.check()
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
        # By an old tree a new request could get the id of another pool.
        if draft.kind.topic is REGISTRY or draft.kind.name == SUBMITTED:
            await outlook.refresh()
        return await outlook.judge(
            lambda: self._checks.admit(draft, principal, outlook, now), _pool(draft)
        )

    async def publish(self, admitted: Sequence[Admissible]) -> list[Position]:
        """Write events; they are durable when this returns. Raises LogError."""
        records = [one.record for one in admitted]
        try:
            with self.metrics.publish.time():
                positions = await self._log.publish(records)
        except LogError as error:
            self._doubt.failed(records, error)
            _log.warning("not published", events=len(admitted), error=str(error))
            raise
        self._doubt.written(positions)
        for one in admitted:
            self.metrics.events.labels(one.event.kind.name).inc()
        return positions

    def ready(self) -> dict[str, str]:
        """Return what is not ready, and why."""
        missing = {}
        for name, tail in (("registry", self.view.tail), ("requests", self.cases.tail)):
            if tail.behind:
                missing[name] = f"read up to {tail.progress}"
            elif (late := tail.turns.late()) is not None:
                missing[name] = late
        if (doubt := self._doubt.told() or self.reach.doubt()) is not None:
            missing["log"] = doubt
        return missing


def _pool(draft: Draft) -> str | None:
    """Return the pool whose requests a draft is about, if it is an ask."""
    subject = draft.attributes.get("subject")
    return owner(subject) if draft.kind.topic is REQUESTS and isinstance(subject, str) else None
