"""A small province whose stations, enterprises and experts ask all sorts of things.

They see what was decided as anybody does, on the log, and ask what may come next; now and then
what is not legal, or what comes too late.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from bus.port import Partition, Record
from schemas.decisions import Advanced, Moved, Offer
from schemas.lifecycle import ENDED
from schemas.pools import owner
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS
from tests.matching.crowd import _MORE, _NEXT
from tests.simulation.clients import Clients
from tests.simulation.events import BEGIN, record, stated, usable
from tests.simulation.intake import clock
from tests.simulation.log import Log
from tests.simulation.options import Options

POOLS = ("county-a", "county-b", "city")
ELEMENTS = ("STD", "MET")
REST = timedelta(seconds=3)
"""Who is not woken for so long is at rest."""


class Crowd:
    """`requests` and `offers` are what was decided so far; `positions` up to where."""

    def __init__(self, log: Log, options: Options) -> None:
        self._log, self._options = log, options
        self._dice = Random(f"asks {options.seed}")
        self._at: dict[Partition, int] = {}
        self._ids = 0
        self.requests: dict[str, Moved] = {}
        self.offers: dict[str, Offer] = {}
        self.positions: dict[str, int] = {}

    def registry(self) -> Iterator[Record]:
        """Yield few experts with little time, and a device."""
        for pool in POOLS:
            for n in range(2):
                yield record("expert.registered", f"{pool}.e{n}", **self._resource())
        yield record("equipment.registered", "city.d", elements=["MET"], capacity=2, units=2)

    def watch(self, place: Partition) -> None:
        """Read what is decided, as it appears."""
        if place.topic != ASSIGNMENTS.name:
            return
        tape = self._log.tapes[place]
        lines, self._at[place] = tape.read(self._at.get(place, 0), 1_000_000)
        for line in lines:
            event = usable(line.value)
            match event.data:
                case Moved():
                    self.requests[event.subject] = event.data
                    self._log.happened[f"moved: {event.data.cause}"] += 1
                case Offer():
                    self.offers[event.subject] = event.data
                case Advanced():
                    self.positions |= event.data.positions

    async def run(self, clients: Clients, pause: float) -> None:
        """Ask as often as the options say, a few at a time."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(self._ask_on(clients, pause))
            tasks.create_task(self._change(clients, pause))

    def rests(self) -> bool:
        """Whether all is decided, and nobody will be woken soon."""
        for place, tape in self._log.tapes.items():
            if place.topic in {REQUESTS.name, REFERRALS.name}:
                known = self.positions.get(f"{place.topic}:{place.number}", 0)
                if tape.open or (tape.lines and tape.lines[-1].offset >= known):
                    return False
        soon = clock() + REST
        return not any(
            case.state == "matching" or (case.wake_at is not None and case.wake_at < soon)
            for case in self.requests.values()
            if case.state not in ENDED
        )

    async def _ask_on(self, clients: Clients, pause: float) -> None:
        for _ in range(self._options.asks):
            await asyncio.sleep(self._dice.random() * pause)
            ask = self._ask()
            if ask is not None:
                await clients.send(ask)

    async def _change(self, clients: Clients, pause: float) -> None:
        """Let experts go away and come back."""
        for revision in range(2, 2 + self._options.asks // 3):
            await asyncio.sleep(self._dice.random() * pause * 3)
            status = self._dice.choice(("active", "away", "left"))
            whole = self._resource() | {"revision": revision, "status": status}
            subject = f"{self._dice.choice(POOLS)}.e{self._dice.randrange(2)}"
            await clients.send(stated("expert.registered", subject, clock(), **whole))

    def _resource(self) -> dict[str, Any]:
        hours = sorted(self._dice.sample(range(1, 20), 3))
        starts = [BEGIN + timedelta(hours=hour) for hour in hours]
        spans = [{"start": at.isoformat(), "end": (at + timedelta(hours=1)).isoformat()}
                 for at in starts]  # fmt: skip
        return {"elements": self._dice.sample(ELEMENTS, self._dice.randint(1, 2)),
                "calendar": spans}  # fmt: skip

    def _ask(self) -> dict[str, Any] | None:
        case = self._dice.random()
        if case < 0.1 and self.requests:
            return self._nonsense()
        opened = [r for r, m in self.requests.items() if m.state not in ENDED]
        if not opened or case < 0.35:
            return self._submit()
        return self._next(self._dice.choice(opened))

    def _submit(self) -> dict[str, Any]:
        dice = self._dice
        demand: dict[str, Any] = {"elements": [dice.choice(ELEMENTS)], "mode": "diagnosis"}
        demand["minutes"] = dice.choice((30, 60))
        if dice.random() < 0.2:
            demand["needs"] = [{"kinds": ["expert"]}, {"kinds": ["equipment"]}]
        if dice.random() < 0.2:
            demand["need_by"] = (clock() + timedelta(seconds=2)).isoformat()
        role = dice.choice(("staff", "staff", "enterprise"))
        more = {"enterprise_id": f"ent-{dice.randrange(4)}", "demand": demand, "actor_role": role}
        subject = self._id(dice.choice(POOLS))
        return stated("request.submitted", subject, clock(), **more)

    def _nonsense(self) -> dict[str, Any]:
        kind = self._dice.choice(("request.closed", "service.unblocked", "request.confirmed"))
        role = self._dice.choice(("staff", "enterprise", "head"))
        return self._about(kind, self._dice.choice([*self.requests]), role)

    def _next(self, request: str) -> dict[str, Any] | None:
        case = self.requests[request]
        if case.state == "offered":
            return self._answer(request, case)
        if case.kind == "referral":
            return None
        kind, role = self._dice.choice(_NEXT[case.state])
        return self._about(kind, request, role) if kind else None

    def _answer(self, request: str, case: Moved) -> dict[str, Any] | None:
        """Accept, decline, cancel meanwhile, or wait too long."""
        offer = self.offers[str(case.assignment)]
        silent = [member.id for member in offer.members if member.answer is None]
        dice = self._dice.random()
        if dice < 0.1 and case.kind == "request":
            return self._about("request.cancelled", request, "staff")
        if dice > 0.8 or not silent:
            return None
        kind = "offer.accepted" if dice < 0.6 else "offer.declined"
        who = {"resource": self._dice.choice(silent), "actor_role": "expert"}
        subject = self._id(offer.pool)
        return stated(kind, subject, clock(), assignment_id=str(case.assignment), **who)

    def _about(self, kind: str, request: str, role: str) -> dict[str, Any]:
        more: dict[str, Any] = dict(_MORE.get(kind, {}))
        if kind == "request.evaluated":
            more["score"] = self._dice.randint(1, 5)
        about = {"request_id": request, "actor_role": role} | more
        return stated(kind, self._id(owner(request)), clock(), **about)

    def _id(self, pool: str) -> str:
        self._ids += 1
        return f"{pool}.a{self._ids}"
