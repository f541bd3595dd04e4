"""More facts than an intake can take, from a process of its own, and a ledger of what it took.

A fixed population of subjects is stated again and again, each time as their next revision: so what
those who count must remember does not grow, however long the flood lasts.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from tests.histories import event
from tests.system.load import DAYS, STATIONS, Ledger

SIZE = 100
"""Facts in one post."""
SUBJECTS = 5_000
"""So few that all are stated before the flood begins, also on a slow machine."""
PATIENCE = 30.0
"""Seconds that a post waits for its answer."""
AT_ONCE = 400
"""Posts that wait for their answers at a time: with more, the flood's own process is too slow."""

Named = list[tuple[int, int]]
"""Subjects and revisions that one post states."""


@dataclass
class Flooded:
    """What became of the posts: seconds until each answer, and the ledger of what was taken.

    `accepted` are posts of which something was taken; `taken` counts the facts that were, and
    `revisions` is the highest of each subject. `unsure` are subjects of which something was not
    acknowledged, although it may have been written. `slow` counts posts that the flood itself did
    not send in time, starved by all else: nothing of them was taken. `lost` counts by error those
    that got no answer.
    """

    seconds: float = 0.0
    offered: int = 0
    taken: int = 0
    slow: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    unsure: set[int] = field(default_factory=set)
    revisions: dict[int, int] = field(default_factory=dict)

    @property
    def pace(self) -> float:
        """Facts that were taken a second."""
        return self.taken / self.seconds

    def ledger(self) -> Ledger:
        """Return what stands by that."""
        found = Ledger()
        for serial, revision in self.revisions.items():
            stated = fact(serial, revision)
            found.standing[stated["subject"]] = stated["data"]
        return found


def fact(serial: int, revision: int) -> dict[str, Any]:
    """Return what is stated of a subject: where and when changes with each revision."""
    place = serial + revision
    data = {
        "revision": revision,
        "node_id": STATIONS[place % len(STATIONS)],
        "enterprise_id": f"ent-{place % 40}",
        "elements": ["STD"],
        "mode": "diagnosis",
        "occurred_at": f"{DAYS[place // 7 % len(DAYS)]}T09:30:00+08:00",
        "actor_role": "staff",
        "actor_ref": "s-1",
    }
    return event("service.delivered", f"{STATIONS[serial % len(STATIONS)]}.f-{serial}", data)


@dataclass(frozen=True)
class Flood:
    """So many `seconds` of posts, `rate` a second whatever is answered; from revision `first` on.

    A rate of 0: `clients` that each wait for their answer instead.
    """

    url: str
    key: str
    seconds: float
    first: int
    rate: float = 0.0
    clients: int = 8

    def run(self) -> Flooded:
        """Send it all; return once everything is answered."""
        return asyncio.run(self._run())

    async def _run(self) -> Flooded:
        found, began = Flooded(), time.perf_counter()
        # aiohttp, because httpx needs more of a core for a post than the intake does.
        async with (
            aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(PATIENCE),
                connector=aiohttp.TCPConnector(limit=0),
            ) as http,
            asyncio.TaskGroup() as tasks,
        ):
            if self.rate:
                room = asyncio.Semaphore(AT_ONCE)
                async for named in self._paced(began):
                    await room.acquire()
                    posted = tasks.create_task(self._post(http, named, found))
                    posted.add_done_callback(lambda _: room.release())
            else:
                posts = self._posts()
                for _ in range(self.clients):
                    tasks.create_task(self._closed(http, posts, began, found))
        found.seconds = self.seconds
        return found

    def _posts(self) -> Iterator[Named]:
        serial = self.first * SUBJECTS
        while True:
            pairs = (divmod(n, SUBJECTS) for n in range(serial, serial + SIZE))
            yield [(subject, revision) for revision, subject in pairs]
            serial += SIZE

    async def _paced(self, began: float) -> AsyncIterator[Named]:
        """Yield what is due; who is late makes up for it."""
        posts, sent = self._posts(), 0
        while (passed := time.perf_counter() - began) < self.seconds:
            while sent < passed * self.rate:
                yield next(posts)
                sent += 1
            await asyncio.sleep(1 / self.rate)

    async def _closed(
        self,
        http: aiohttp.ClientSession,
        posts: Iterator[Named],
        began: float,
        found: Flooded,
    ) -> None:
        while time.perf_counter() - began < self.seconds:
            await self._post(http, next(posts), found)

    async def _post(self, http: aiohttp.ClientSession, named: Named, found: Flooded) -> None:
        body = msgspec.json.encode([fact(serial, revision) for serial, revision in named])
        found.offered += 1
        began = time.perf_counter()
        try:
            async with http.post(f"{self.url}/v1/events", data=body) as answer:
                said = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            found.lost[type(error).__name__] += 1
            found.unsure |= {serial for serial, _ in named}
            return
        self._note(answer.status, said, named, found, time.perf_counter() - began)
        assert answer.status not in {429, 503} or "retry-after" in answer.headers

    def _note(self, status: int, said: bytes, named: Named, found: Flooded, seconds: float) -> None:
        if status in {429, 503}:
            found.refused.append(seconds)
            return
        if status == 408:
            found.slow += 1
            return
        assert status == 207, said
        before = found.taken
        for one in json.loads(said):
            serial, revision = named[one["index"]]
            if one["status"] == 202:
                found.taken += 1
                found.revisions[serial] = max(revision, found.revisions.get(serial, 0))
            else:
                assert one["status"] == 503, one
                found.unsure.add(serial)
        if found.taken > before:
            found.accepted.append(seconds)

    @property
    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/cloudevents-batch+json",
        }


def share(times: list[float], part: float) -> float:
    """Return the time within which this part of all was answered, 0 when there was none."""
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] if times else 0.0
