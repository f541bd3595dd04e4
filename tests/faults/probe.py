"""A probe: posts one visit after another to one partition, and remembers every answer."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Self

import httpx

import bus
from schemas.topics import RESULTS
from tests.faults.beside import Beside
from tests.matching.reader import read
from tests.system import web
from tests.system.people import STATED
from tests.system.process import until

PAUSE = 0.05
"""Seconds between two posts."""
PARTITIONS = 12


class Answer(NamedTuple):
    """What was answered to a post: when (by `time.monotonic`), and where its record is."""

    sent: float
    came: float
    status: int
    subject: str
    position: str
    retry_after: str

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.came - self.sent


class Probe:
    """Posts to one partition of results; what is not taken is posted again until it is.

    Any other status than 202 and 503, and any post that gets no answer at all, ends it.
    """

    def __init__(self, url: str, key: str, number: int) -> None:
        self.number, self.answers = number, list[Answer]()
        self._url, self._headers = url, {"Authorization": f"Bearer {key}"}
        self._beside = Beside(self._post, f"probe-{number}")

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    @property
    def taken(self) -> list[Answer]:
        """The answers that were 202."""
        return [answer for answer in self.answers if answer.status == httpx.codes.ACCEPTED]

    def since(self, moment: float) -> list[Answer]:
        """Return the answers to what was sent after a moment."""
        self._beside.alive()
        return [answer for answer in self.answers if answer.sent > moment]

    def first(self, moment: float) -> Answer:
        """Return the first 202 to what was sent after a moment; wait for it."""
        until(lambda: any(answer in self.taken for answer in self.since(moment)))
        return next(answer for answer in self.taken if answer.sent > moment)

    async def _post(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=60.0, headers=self._headers) as http:
            serial = 0
            while not stop.is_set():
                serial += 1
                subject = f"yinhu.probe-{self.number}-{serial}"
                if RESULTS.partition(subject, PARTITIONS) == self.number:
                    await self._until_taken(http, subject)

    async def _until_taken(self, http: httpx.AsyncClient, subject: str) -> None:
        visit = {"id": subject, "node_id": "yinhu", "enterprise_id": "ent-1", **STATED}
        status = 0
        while status != httpx.codes.ACCEPTED:
            sent = time.monotonic()
            answer = await http.post(f"{self._url}/v1/visits", json=visit)
            status, told = answer.status_code, answer.headers
            assert status in {202, 503}, answer.text
            place, again = told.get("yizhan-position", ""), told.get("retry-after", "")
            self.answers.append(Answer(sent, time.monotonic(), status, subject, place, again))
            await asyncio.sleep(PAUSE)


def shown(screens: str, answer: Answer) -> Callable[[], bool]:
    """Return what tells whether the counters on screens contain what was taken."""
    asked = {"node": "hub", "after": answer.position, "wait": "0.2"}
    return lambda: web.get(f"{screens}/v1/counters", params=asked, timeout=10.0).is_success


async def standing(log: str, answers: Iterable[Answer]) -> int:
    """Check that each fact that was taken stands on the log where its answer said."""
    async with bus.connect(log) as opened:
        found = {
            f"{RESULTS.name}:{number}:{offset}": event.subject
            for number, records in enumerate(await read(opened, RESULTS))
            for offset, event in records
            if event is not None
        }
    told = {answer.position: answer.subject for answer in answers}
    assert told.items() <= found.items(), told.items() - found.items()
    return len(told)
