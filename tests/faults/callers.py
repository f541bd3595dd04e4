"""Stations, experts and heads who ask over HTTP at the very moment at which the clock acts too.

What they aim at, they learn on the log, as fast as matching says it; what comes of it they are told
where intake says that the verdict will be.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx

from schemas.decisions import Moved
from schemas.lifecycle import ENDED, row
from tests.faults.aim import Aim
from tests.matching.crowd import Crowd
from tests.system.process import SOON

COUNTIES = ("dawu-xian", "hanchuan-shi", "yunmeng-xian", "xiaochang-xian")
_BEFORE = {"submitted", "accepted", "matching"}
Verdict = dict[str, Any]


class Callers:
    """People at one intake and one screens; `figures` is what they were told.

    `seen` follows the log for them.
    """

    def __init__(self, intake: str, screens: str, key: str, seen: Crowd, dice: Random) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(timeout=15.0, headers=headers)
        self._intake, self._screens = intake, screens
        self._seen, self._dice = seen, dice
        self._expiry, self._escalation = Aim(dice), Aim(dice)
        self.figures = Counter[str]()

    async def expiry(self) -> bool:
        """Accept an offer twice, and cancel its request, just when it expires.

        Return whether there was an offer: on a slow machine all may have expired by then.
        """
        request = await self._submit("STD")
        case = await self._until(request, lambda case: case.state not in _BEFORE)
        if case.assignment is None:
            await self._end(request)
            return False
        offer = self._seen.offers[case.assignment]
        who = {"resource": offer.members[0].id, "actor_role": "expert", "occurred_at": _now()}
        accept, name = f"offers/{case.assignment}/accept", self._id(case.pool)
        at, aim = offer.expires_at, self._expiry
        first, second = sorted((aim.time(at), aim.time(at)))
        told, again, cancelled = await asyncio.gather(
            self._at(first, accept, name, **who),
            self._at(second, accept, name, **who),
            self._at(aim.time(at), f"requests/{request}/cancel", self._id(case.pool))
            if self._dice.random() < 0.5
            else _nothing(),
        )
        assert told == again, f"two verdicts on {name}: {told} and {again}"
        self.figures[f"accept crossing expiry: {told['verdict']}"] += 1
        if cancelled is not None:
            assert cancelled["verdict"] == "moved", f"it is legal all the time: {cancelled}"
            self.figures["cancel crossing expiry"] += 1
        else:
            aim.came(first, at, before=told["verdict"] == "moved")
        await self._end(request)
        self._over(case.assignment, told, cancelled)
        return True

    async def escalation(self) -> bool:
        """Cancel a request that only the city can serve just when it goes there."""
        request = await self._submit("CER")
        case = await self._until(request, lambda case: case.state not in _BEFORE)
        if case.wake_at is None:
            await self._end(request)
            return False
        head, place, at = {"actor_role": "head"}, f"requests/{request}", case.wake_at
        aim, asked = self._escalation, self._escalation.time(at)
        cancelled, raised = await asyncio.gather(
            self._at(asked, f"{place}/cancel", self._id(case.pool)),
            self._at(aim.time(at), f"{place}/escalate", self._id(case.pool), **head)
            if self._dice.random() < 0.3
            else _nothing(),
        )
        assert cancelled["verdict"] == "moved", f"it is legal all the time: {cancelled}"
        await self._end(request)
        before = not self._seen.requests[request].escalations
        side = "before it" if before else "after it"
        if raised is None:
            self.figures[f"cancel crossing escalation: {side}"] += 1
            aim.came(asked, at, before=before)
        else:
            self.figures[f"cancel crossing escalation asked for, too: {side}"] += 1
            verdict = _explained("escalation.requested", raised)
            self.figures[f"escalate crossing cancel: {verdict}"] += 1
        return True

    async def keen(self) -> None:
        """Accept for ever what the city's experts are offered, so that cancels cross that, too."""
        answered = set[str]()
        while True:
            for name, offer in list(self._seen.offers.items()):
                fresh = offer.kind == "referral" and offer.outcome == "offered"
                if fresh and name not in answered:
                    answered.add(name)
                    who = {"resource": offer.members[0].id, "actor_role": "expert"}
                    said = {"id": self._id(offer.pool), **_who(), **who}
                    await self._asked(f"offers/{name}/accept", said)
                    self.figures["accepted in the city"] += 1
            await asyncio.sleep(0.02)  # the log is followed by another task

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def _submit(self, element: str) -> str:
        pool = self._dice.choice(COUNTIES)
        request = self._id(pool)
        demand = {"elements": [element], "mode": "diagnosis"}
        firm = f"ent-{self._dice.randrange(50)}"
        said = {"id": request, "node_id": pool, "enterprise_id": firm, "demand": demand}
        await self._asked("requests", said | _who())
        return request

    async def _end(self, request: str) -> None:
        """Cancel what still goes on; return once that is seen on the log."""
        while self._seen.requests[request].state not in ENDED:
            pool = self._seen.requests[request].pool
            told = await self._told(f"requests/{request}/cancel", self._id(pool))
            await self._until(request, lambda case: case.state in ENDED)
            self.figures[f"cancelled in the end: {_explained('request.cancelled', told)}"] += 1

    def _over(self, assignment: str, told: Verdict, cancelled: Verdict | None) -> None:
        """Whoever accepted was released by the cancel, all others came too late for their offer."""
        outcome = self._seen.offers[assignment].outcome
        if told["verdict"] == "moved":
            assert outcome == "released", f"accepted, but {outcome}"
        else:
            assert told["cause"] == "over", f"it was there to be accepted: {told}"
            assert outcome == "expired" or (cancelled and outcome == "released"), outcome

    async def _until(self, request: str, true: Callable[[Moved], bool]) -> Moved:
        """Wait until a request is so."""
        async with asyncio.timeout(SOON):
            while True:
                case = self._seen.requests.get(request)
                if case is not None and true(case):
                    return case
                await asyncio.sleep(0.01)  # the log is followed by another task

    async def _at(self, time: datetime, path: str, name: str, **data: Any) -> Verdict:
        """Ask at that time; return the verdict."""
        await asyncio.sleep((time - datetime.now(UTC)).total_seconds())
        return await self._told(path, name, **data)

    async def _told(self, path: str, name: str, **data: Any) -> Verdict:
        """Ask until it is accepted, then for the verdict until there is one."""
        said = {"id": name, **_who(), **data}
        location = (await self._asked(path, said)).headers["location"]
        while True:
            answer = await self._get(location)
            if answer.status_code == 200 and answer.json()["verdict"] != "pending":
                return dict(answer.json())
            assert answer.status_code in {200, 503, 504}, answer.text

    async def _asked(self, path: str, said: dict[str, Any]) -> httpx.Response:
        while True:
            with suppress(httpx.TransportError):
                answer = await self._http.post(f"{self._intake}/v1/{path}", json=said)
                if answer.status_code == 202:
                    return answer
                assert answer.status_code in {429, 503}, f"{path}: {answer.text}"
            await asyncio.sleep(0.1)

    async def _get(self, location: str) -> httpx.Response:
        while True:
            with suppress(httpx.TransportError):
                return await self._http.get(f"{self._screens}{location}&wait=5")
            await asyncio.sleep(0.1)

    def _id(self, pool: str) -> str:
        return f"{pool}.{self._dice.getrandbits(60):015x}"


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _who() -> dict[str, str]:
    return {"occurred_at": _now(), "actor_role": "staff", "actor_ref": "s-1"}


def _explained(ask: str, told: Verdict) -> str:
    """Return the verdict; a refusal must say in which state this is not legal."""
    if told["verdict"] == "refused":
        assert told["cause"] == "state", told
        assert row(ask, told["state"]) is None, f"{ask} is legal then: {told}"
    return str(told["verdict"])


async def _nothing() -> None:
    return None


async def repeated(work: Callable[[], Coroutine[Any, Any, bool]], left: list[int]) -> None:
    """Do it as long as something is left to do, whoever does it."""
    while left:
        one = left.pop()
        if not await work():
            left.append(one)
