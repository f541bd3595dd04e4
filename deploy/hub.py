"""The composition root: from settings to running services behind one HTTP server."""

import asyncio
from asyncio import Event, Task, TaskGroup
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import structlog

import bus
from bus import Bus
from bus.keys import Keys
from deploy.disk import watching
from deploy.entrance import Entrance
from deploy.errors import Misuse
from deploy.folder import ADMIN, first_key, held
from deploy.keys import FILE
from deploy.log import address as where
from deploy.log import file
from deploy.origin import current, of_this_log, there
from deploy.parts import Ground, Part, Service
from deploy.requests import Requests
from deploy.server import address, listening, serve
from deploy.settings import Settings
from deploy.space import measuring
from deploy.web import registry, unready, web

_log = structlog.get_logger(__name__)
_GLANCE = 0.05  # seconds between two looks at whether all is ready


@dataclass(frozen=True, slots=True)
class Hub:
    """Services that run behind a server."""

    url: str
    data: Path
    services: Sequence[Service]
    log: Bus

    @property
    def admin(self) -> Path:
        """Where the first administrator's key lies."""
        return self.data / ADMIN

    def unready(self) -> dict[str, str]:
        """Return what is not ready and why."""
        return unready(self.services)

    async def ready(self) -> None:
        """Return once everything is ready."""
        while self.unready():  # noqa: ASYNC110  # a state of many parts, none of which has an event
            await asyncio.sleep(_GLANCE)


Guest = Callable[[Hub, Event], Coroutine[Any, Any, None]]
"""What else goes on in the process once the hub runs; the event ends the process."""


class Ended(Exception):
    """The process is to end: this is how a task group is told."""


async def run(settings: Settings, parts: Sequence[Part], guest: Guest, stop: Event) -> None:
    """Run these services until `stop` is set or anything fails; then end them all."""
    there(where(settings.bus, settings.data), settings.data)
    with (
        held(settings.data, [part.name for part in parts]),
        listening(settings.host, settings.port) as opened,
        Keys.open(settings.data / FILE) as keys,
    ):
        if len(parts) > 1:  # a service alone comes to keys that somebody has issued
            first_key(settings.data, keys)
        try:
            async with TaskGroup() as tasks:
                early = tasks.create_task(_ended(stop))
                metrics, entrance = registry(), Entrance()
                serving = tasks.create_task(serve(Requests(entrance, metrics), opened, stop))
                async with AsyncExitStack() as running:
                    log = await running.enter_async_context(connect(settings))
                    await of_this_log(log, where(settings.bus, settings.data), settings.data)
                    on = Ground(settings, log, keys, tasks, metrics)
                    disk = await running.enter_async_context(watching(settings.data, tasks))
                    running.enter_context(measuring(settings.data, on.metrics, tasks))
                    started = [await running.enter_async_context(p.running(on)) for p in parts]
                    early.cancel()
                    disk.hold(_open(settings, [part.name for part in parts]))
                    entrance.open(web([disk, *started], metrics))
                    hub = Hub(address(opened), settings.data, [disk, *started], log)
                    await _beside(serving, guest(hub, stop), tasks, hub.url)
                _end()
        except* Ended:
            _log.info("ended")


def _open(settings: Settings, services: Sequence[str]) -> list[Path]:
    """Return the files that this process has open while it runs."""
    log = file(where(settings.bus, settings.data))
    return [settings.data / FILE, *current(settings.data, services), *([log] if log else [])]


async def _beside(
    serving: Task[None], guest: Coroutine[Any, Any, None], tasks: TaskGroup, url: str
) -> None:
    _log.info("serving", url=url)
    beside = tasks.create_task(guest)
    await serving
    beside.cancel()


def _end() -> NoReturn:
    """Let the group cancel whatever a service may have left behind."""
    raise Ended


async def _ended(stop: Event) -> None:
    """End a start that takes long: what is not yet serving needs no grace."""
    await stop.wait()
    _end()


def connect(settings: Settings) -> AbstractAsyncContextManager[Bus]:
    """Open the log: the one that YIZHAN_BUS names, or a file in the data folder."""
    return bus.connect(where(settings.bus, settings.data), partitions=settings.partitions)


def shared(settings: Settings) -> None:
    """Raise Misuse unless a log is named that several processes can share."""
    if not settings.bus:
        raise Misuse(
            "one service alone shares its log with the others: name it in YIZHAN_BUS, "
            "as kafka://HOST:PORT,… or sqlite:///PATH; `yizhan up` runs all services on a log "
            "of their own"
        )
