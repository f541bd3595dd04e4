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

AREAS: dict[str, str | None] = {
    "hub": None, "city": "hub", "county-a": "city", "county-b": "city"
}  # fmt: skip
"""Nodes that are no stations, each with what it lies below."""
TWICE = "county-a.twice"
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
        count = min(self._dice.randint(1, 3), options.facts)
        share = -(-options.facts // max(count, 1))
        self.merged: dict[str, str] = {}
        self.histories = [History(f"h{n}", self._dice, share) for n in range(count)]
        self.above = AREAS | {node: "county-a" for h in self.histories for node in h.stations}
        """What each node lies below in the end."""

    def registry(self) -> Iterator[Record]:
        for node, parent in self.above.items():
            if node not in AREAS:
                yield record("node.opened", node, name=node, kind="station", parent=parent)

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
            node, parent = self._dice.choice(history.stations), self._dice.choice([*AREAS])
            self.above[node] = parent
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
            assert await clients.send(event("visit.completed", TWICE, data, n)) == 202


def poison(log: Log, dice: Random) -> list[Record]:
    """Return what no intake would let through."""
    subject = f"h0-0.{dice.randrange(1000)}"
    wrong = encode(event("visit.completed", subject, {"node_id": "h0-0"}))
    values = (b"nonsense", wrong, b"")
    return [Record(RESULTS, dice.randrange(log.options.partitions), b"k", v) for v in values]


def expected(stations: Stations) -> Iterator[tuple[str, str, int]]:
    """Yield node, key and value of all that was told, at stations and at all that lies above.

    Amounts add up on the way, sets of enterprises are united.
    """
    told, nodes = _everywhere(stations), stations.above if stations.histories else ()
    keys = sorted({*NAMES, *(key for _, key in told.sums)})
    for node in nodes:
        for key in keys:
            members = told.sets.get((node, key))
            yield node, key, len(members) if members else told.sums.get((node, key), 0)


def _everywhere(stations: Stations) -> Expected:
    """Return what every node has to show, whoever told it."""
    conflict = Expected()
    if stations.histories:
        conflict.sums["county-a", "visits"] = 1
        conflict.sets["county-a", "enterprises_visited"] = {"one of both"}
    whole = Expected()
    for told in (conflict, *(history.expected for history in stations.histories)):
        for (node, key), amount in told.sums.items():
            for at in _path(node, stations.above):
                whole.sums[at, key] += amount
        for (node, key), members in told.sets.items():
            for at in _path(node, stations.above):
                whole.sets[at, key] |= {_last(one, stations.merged) for one in members}
    return whole


def _path(node: str | None, above: dict[str, str | None]) -> Iterator[str]:
    while node is not None:
        yield node
        node = above[node]


def _last(enterprise: str, merged: dict[str, str]) -> str:
    while enterprise in merged:
        enterprise = merged[enterprise]
    return enterprise
