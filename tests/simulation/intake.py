"""Intake as a process: the real door, without HTTP. Who posts hears a status, or nothing."""

import asyncio
from asyncio import Future, Queue, TaskGroup, get_running_loop
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from bus.keys import Principal, Role
from schemas.days import SHANGHAI
from schemas.errors import YizhanError
from schemas.problems import problem
from schemas.types import TYPES
from services.intake.door import Door
from services.intake.draft import Draft
from services.intake.metrics import Metrics
from services.intake.parse import parse
from services.intake.settings import Settings
from tests.simulation.link import Link
from tests.simulation.log import EPOCH

SETTINGS = Settings(registry_seconds=1.0)
POSTER = Principal("simulated", "hub", Role.ADMIN, "simulated")


class Desk:
    """Where bodies are posted; what a dead process was asked is never answered."""

    def __init__(self) -> None:
        self._posts: Queue[tuple[bytes, Future[int]]] = Queue()

    def post(self, body: bytes) -> Future[int]:
        """Post an event; the future has the status."""
        answer: Future[int] = get_running_loop().create_future()
        self._posts.put_nowait((body, answer))
        return answer

    async def run(self, link: Link) -> None:
        """Answer for ever."""
        nobody: Any = None
        self._posts = posts = Queue[tuple[bytes, Future[int]]]()
        door = Door(link, nobody, SETTINGS, Metrics(CollectorRegistry()), clock)
        async with TaskGroup() as tasks:
            tasks.create_task(door.view.tail.follow())
            tasks.create_task(door.cases.tail.follow())
            while True:
                tasks.create_task(_answer(door, *await posts.get()))


async def _answer(door: Door, body: bytes, answer: Future[int]) -> None:
    status = await _status(door, body)
    if not answer.done():
        answer.set_result(status)


async def _status(door: Door, body: bytes) -> int:
    attributes = parse(body)
    try:
        draft = Draft(TYPES[attributes["type"]], attributes)
        admitted = await door.admit(draft, POSTER, door.outlook())
        await asyncio.sleep(0)
        await door.publish([admitted])
    except YizhanError as error:
        return problem(error)[0]
    return 202


def clock() -> datetime:
    """Return the virtual time."""
    return datetime.fromtimestamp(EPOCH + get_running_loop().time(), SHANGHAI)
