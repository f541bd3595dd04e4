"""Stations that state, correct, move and void facts; what they must add up to is known apart."""

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from bus.port import Record
from schemas.codec import encode
from schemas.topics import RESULTS
from tests.histories import Expected, History, event
from tests.simulation.clients import Clients
from tests.simulation.events import record, stated
from tests.simulation.log import Log
from tests.simulation.options import Options

AREAS = ("hub", "city", "county-a", "county-b")
NAMES = (
    "services_delivered", "visits", "problems_found", "problems_solved", "activities_held",
    "activity_persons", "licence_days", "consult_person_times", "enterprises_served",
    "enterprises_visited", "activity_enterprises", "enterprises_trained", "title_filings",
    "enterprises_improved",
)  # fmt: skip
"""Totals that a history tells; benefits come on top by their whole key."""


class Stations:
    """Histories of facts, each told by a station that waits for every answer."""

    def __init__(self, options: Options) -> None:
        self._dice = Random(f"facts {options.seed}")
        count = min(3, options.facts)
        share = -(-options.facts // max(count, 1))
        self.merged: dict[str, str] = {}
        self.histories = [History(f"h{n}", self._dice, share) for n in range(count)]

    def registry(self) -> Iterator[Record]:
        for history in self.histories:
            for node in history.stations:
                yield record("node.opened", node, name=node, kind="station", parent="county-a")

    async def run(self, clients: Clients, pause: float) -> None:
        """Tell all of it."""
        async with asyncio.TaskGroup() as tasks:
            for history in self.histories:
                for part in range(2):
                    tasks.create_task(self._tell(clients, history.events[part::2], pause))
            if self.histories:
                tasks.create_task(self._conflict(clients))
                tasks.create_task(self._move(clients, pause))

    async def _tell(
        self, clients: Clients, events: Sequence[dict[str, object]], pause: float
    ) -> None:
        for one in events:
            await asyncio.sleep(self._dice.random() * pause)
            await clients.send(one)

    async def _move(self, clients: Clients, pause: float) -> None:
        """Hang stations below other areas, and merge enterprises."""
        for revision in range(2, 6):
            await asyncio.sleep(self._dice.random() * pause * 2)
            history = self._dice.choice(self.histories)
            node, parent = self._dice.choice(history.stations), self._dice.choice(AREAS)
            moved: dict[str, Any] = {
                "name": node,
                "kind": "station",
                "parent": parent,
                "revision": revision,
            }
            assert await clients.send(stated("node.moved", node, **moved)) == 202
            # From the smaller to the larger: circles would be refused.
            one, other = (f"{history.name}-e{n}" for n in sorted(self._dice.sample(range(10), 2)))
            self.merged[one] = other
            merged: dict[str, Any] = {
                "name": one,
                "merged_into": other,
                "node_id": node,
                "revision": revision,
            }
            assert await clients.send(stated("enterprise.merged_into", one, **merged)) == 202

    async def _conflict(self, clients: Clients) -> None:
        """State the same revision twice, with other content: the first in the log stands."""
        for n in range(2):
            data = self.histories[0].stated(1) | {"node_id": "county-a", "enterprise_id": f"e{n}"}
            await clients.send(event("visit.completed", "county-a.twice", data, n))


def poison(log: Log, dice: Random) -> list[Record]:
    """Return what no intake would let through."""
    subject = f"h0-0.{dice.randrange(1000)}"
    wrong = encode(event("visit.completed", subject, {"node_id": "h0-0"}))
    values = (b"nonsense", wrong, b"")
    return [Record(RESULTS, dice.randrange(log.options.partitions), b"k", v) for v in values]


def expected(stations: Stations) -> Iterator[tuple[str, str, int]]:
    """Yield node, key and value of all that was told."""
    for history in stations.histories:
        yield from _values(history.stations, history.expected, stations.merged)


def _values(
    stations: Sequence[str], told: Expected, merged: dict[str, str]
) -> Iterator[tuple[str, str, int]]:
    keys = {*NAMES, *(key for _, key in told.sums)}
    for node in stations:
        for key in sorted(keys):
            members = {_last(one, merged) for one in told.sets.get((node, key), ())}
            yield node, key, len(members) if members else told.sums.get((node, key), 0)


def _last(enterprise: str, merged: dict[str, str]) -> str:
    while enterprise in merged:
        enterprise = merged[enterprise]
    return enterprise
