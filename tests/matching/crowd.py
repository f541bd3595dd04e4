"""A crowd: stations, enterprises, experts and heads of several pools who ask all sorts of things.

They see what was decided as anybody does, on the log, and ask what may come next; now and then the
same again, something that is not legal, or something that comes too late. Seeded dice choose.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bus import Batch, Bus, Record
from schemas.codec import Event, decode
from schemas.decisions import Advanced, Moved, Offer
from schemas.lifecycle import ENDED
from schemas.pools import owner
from schemas.topics import ASSIGNMENTS, REFERRALS
from tests.matching.running import record
from tests.system.meanwhile import meanwhile
from tests.system.process import SOON

POOLS = ("dawu-xian", "hanchuan-shi", "yunmeng-xian", "xiaochang-xian", "xiaogan", "hubei")
ABOVE = dict.fromkeys(POOLS[:4], "xiaogan") | {"xiaogan": "hubei", "hubei": "hub"}
ELEMENTS = ("STD", "MET", "CER", "TST")
OPEN = 80
"""About how many requests are open at once."""
MOMENT = timedelta(seconds=0.3)


def registry(rng: Random) -> list[Record]:
    """Return the pools, few experts with little time, and devices of which there are two."""
    found = [record("node.opened", "hub", name="hub", kind="hub")]
    for pool in POOLS:
        tier = {"xiaogan": "city", "hubei": "province"}.get(pool, "county")
        node = {"kind": "area", "tier": tier, "parent": ABOVE[pool], "name": pool}
        found.append(record("node.opened", pool, **node))
    dawn = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for pool in POOLS:
        for n in range(2):
            hours = sorted(rng.sample(range(1, 40), 4))
            calendar = [_span(dawn + timedelta(hours=hour)) for hour in hours]
            elements = rng.sample(ELEMENTS[: 2 + (pool in POOLS[4:]) * 2], 2)
            resource = {"elements": elements, "calendar": calendar}
            found.append(record("expert.registered", f"{pool}.e{n}", **resource))
        device = {"elements": ["MET"], "calendar": [_span(dawn + timedelta(hours=2))]}
        found.append(record("equipment.registered", f"{pool}.d", capacity=2, units=2, **device))
    return found


def _span(start: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}


@dataclass
class Crowd:
    """Asks until it is told to stop; `asked` is what it has written.

    `written` and `decided` are the ends of requests and referrals, by "topic:partition". `rest` is
    how many seconds it waits after a few asks; by default it asks as much as a large province.
    """

    log: Bus
    rng: Random
    rest: float = 0.02
    requests: dict[str, Moved] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    asked: list[Record] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    seen: int = 0

    async def follow(self) -> None:
        """Read for ever what is decided."""
        async with self.log.subscribe(None, [ASSIGNMENTS, REFERRALS], lambda _: 0) as reader:
            while True:
                for batch in await reader.poll(1.0):
                    self._read(batch)

    async def run(self, stop: asyncio.Event) -> None:
        """Ask this and that until `stop`."""
        while not stop.is_set():
            asks = [self._ask() for _ in range(self.rng.randint(1, 4))]
            written = [ask for ask in asks if ask is not None]
            for topic, number, offset in await self.log.publish(written):
                self.written[f"{topic}:{number}"] = offset + 1
            self.asked += written
            await asyncio.sleep(self.rest)

    async def quiet(self, seconds: float) -> None:
        """Wait until all is decided, and nothing was for so many seconds."""
        loop = asyncio.get_running_loop()
        since, seen = loop.time(), -1
        while (behind := self._behind()) or seen != self.seen or loop.time() < since + seconds:
            if seen != self.seen:
                since, seen = loop.time(), self.seen
            assert loop.time() < since + SOON, f"nothing is decided any more, up to {behind}"
            await asyncio.sleep(0.1)

    def _behind(self) -> dict[str, int]:
        """Return what is not decided yet."""
        return {n: end for n, end in self.written.items() if self.decided.get(n, 0) < end}

    def _read(self, batch: Batch) -> None:
        for stored in batch.records:
            self.seen += 1
            if batch.topic == REFERRALS.name:
                self.written[f"{batch.topic}:{batch.partition}"] = stored.offset + 1
                continue
            event = decode(stored.value)
            assert isinstance(event, Event), event
            match event.data:
                case Moved():
                    self.requests[event.subject] = event.data
                case Offer():
                    self.offers[event.subject] = event.data
                case Advanced():
                    self.decided |= event.data.positions

    def _ask(self) -> Record | None:
        case = self.rng.random()
        if self.asked and case < 0.08:
            return self.rng.choice(self.asked[-300:])
        opened = [r for r, m in self.requests.items() if m.state not in ENDED]
        if case < 0.14 and self.requests:
            return self._nonsense()
        if len(opened) < OPEN and case < 0.4:
            return self._submit()
        return self._next(self.rng.choice(opened)) if opened else None

    def _submit(self) -> Record:
        pool, elements = self.rng.choice(POOLS), self.rng.sample(ELEMENTS, 1)
        demand: dict[str, Any] = {"elements": elements, "mode": "diagnosis"}
        demand["minutes"] = self.rng.choice((30, 60, 60))
        if self.rng.random() < 0.15:
            device = {"kinds": ["equipment"], "elements": ["MET"]}
            demand["needs"] = [{"kinds": ["expert"], "elements": elements}, device]
        if self.rng.random() < 0.1:
            demand["need_by"] = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
        enterprise = f"ent-{self.rng.randrange(20)}"
        role = self.rng.choice(("staff", "staff", "enterprise"))
        stated = {"enterprise_id": enterprise, "demand": demand, "actor_role": role}
        return record("request.submitted", self._id(pool), **stated)

    def _nonsense(self) -> Record:
        kind = self.rng.choice(("request.closed", "service.unblocked", "request.confirmed"))
        request = self.rng.choice([*self.requests])
        if self.rng.random() < 0.2:
            request = f"{owner(request)}.unheard-of"
        return self._about(kind, request, self.rng.choice(("staff", "enterprise", "head")))

    def _next(self, request: str) -> Record | None:
        """Ask what may come next of a request; None: leave it to the clock."""
        case = self.requests[request]
        if case.state == "offered":
            return self._answer(case)
        if case.kind == "referral":
            return None
        kind, role = self.rng.choice(_NEXT[case.state])
        return self._about(kind, request, role) if kind else None

    def _answer(self, case: Moved) -> Record | None:
        """Accept, decline, or cancel just when the offer is about to expire."""
        assert case.assignment is not None
        offer, dice = self.offers[case.assignment], self.rng.random()
        if case.kind == "request" and offer.expires_at - datetime.now(UTC) < MOMENT:
            request = offer.request_id
            return self._about("request.cancelled", request, "staff") if dice < 0.5 else None
        silent = [m for m in offer.members if m.answer is None]
        if not silent or dice > 0.6:
            return None
        kind = "offer.accepted" if dice < 0.45 else "offer.declined"
        who = {"resource": self.rng.choice(silent).id, "actor_role": "expert"}
        return record(kind, self._id(offer.pool), assignment_id=case.assignment, **who)

    def _about(self, kind: str, request: str, role: str) -> Record:
        more: dict[str, Any] = dict(_MORE.get(kind, {}))
        if kind == "request.evaluated":
            more["score"] = self.rng.randint(1, 5)
        return record(kind, self._id(owner(request)), request_id=request, actor_role=role, **more)

    def _id(self, pool: str) -> str:
        return f"{pool}.{self.rng.getrandbits(60):015x}"


_NEXT: dict[str, tuple[tuple[str, str], ...]] = {
    "submitted": (
        ("request.accepted", "staff"), ("request.accepted", "staff"),
        ("request.returned", "staff"), ("request.cancelled", "enterprise"),
    ),
    "reopened": (("request.accepted", "staff"), ("request.returned", "staff")),
    "accepted": (("", ""),),
    "matching": (("", ""), ("request.cancelled", "staff")),
    "unmatched": (
        ("", ""), ("", ""), ("escalation.requested", "head"), ("request.closed", "staff"),
        ("service.started", "staff"),
    ),
    "escalated": (("", ""),) * 6 + (("request.cancelled", "enterprise"),
                                    ("request.closed", "staff")),
    "committed": (
        ("service.started", "staff"), ("service.started", "staff"),
        ("request.cancelled", "enterprise"),
    ),
    "in_service": (
        ("request.result_recorded", "staff"), ("request.result_recorded", "staff"),
        ("service.blocked", "staff"), ("request.cancelled", "staff"),
    ),
    "blocked": (("service.unblocked", "staff"),),
    "resulted": (("request.confirmed", "enterprise"), ("request.disputed", "enterprise")),
    "disputed": (("service.started", "staff"),),
    "confirmed": (
        ("request.evaluated", "enterprise"), ("request.closed", "staff"),
        ("request.reopened", "enterprise"),
    ),
    "evaluated": (("request.closed", "staff"), ("request.followed_up", "staff")),
}  # fmt: skip
"""By state: what may be asked next, by whom; "": nothing."""
_MORE = {
    "request.returned": {"reason": "not ours"},
    "request.disputed": {"reason": "not what was asked for"},
    "request.reopened": {"reason": "again"},
    "service.blocked": {"reason": "sample_in_transit"},
}


async def crowded(
    log: Bus, seed: int, disturb: Callable[[Crowd], None], quiet: float, rest: float = 0.02
) -> Crowd:
    """Let a crowd ask while something goes on beside it; return it once all is decided."""
    crowd, stop = Crowd(log, Random(seed), rest), asyncio.Event()
    await log.publish(registry(crowd.rng))
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(crowd.follow())
        asking = tasks.create_task(crowd.run(stop))
        await meanwhile(disturb, crowd)
        stop.set()
        await asking
        await crowd.quiet(quiet)
        following.cancel()
    return crowd
