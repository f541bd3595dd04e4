"""Random lives of requests and offers, and what they must add up to.

A life is told as a story: what happened, when, for how long. What is expected comes from the story;
what is decided on the way goes into the log as plain dictionaries.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from random import Random
from typing import Any, Literal

from bus.port import Record
from schemas.codec import encode
from schemas.topics import ASSIGNMENTS
from tests.histories import event

Kind = Literal["request", "referral"]
POOL = "yubei"
BEGIN = datetime(2024, 2, 10, tzinfo=timezone(timedelta(hours=8)))
DEMAND = {"elements": ["MET"], "mode": "testing"}
REASONS = ("no_capacity", "no_slot_in_time", "conflict")


def record(attributes: dict[str, Any], route: str | int = POOL) -> Record:
    return Record(ASSIGNMENTS, route, attributes["subject"].encode(), encode(attributes))


class Case:
    """One request of `node`, up to some point of its life. `expected` goes by measure key."""

    def __init__(self, subject: str, node: str, rng: Random, kind: Kind = "request") -> None:
        self.subject, self.node, self.kind, self._rng = subject, node, kind, rng
        self.submitted = BEGIN + timedelta(minutes=rng.randrange(40 * 24 * 60))
        self.now = self.submitted
        self.expected: Counter[str] = Counter()
        self.events: list[dict[str, Any]] = []
        self._state = "submitted"
        self._told: dict[str, Any] = {}
        for _ in islice(self._life(), rng.randint(1, 16)):
            pass
        self._count()

    @property
    def day(self) -> str:
        return self.submitted.date().isoformat()

    def _life(self) -> Iterator[None]:
        yield from self._move("submitted")
        self.expected += Counter(responded=1, first_response_seconds=self._pass())
        self._told["first_response_at"] = self.now.isoformat()
        if self._rng.random() < 0.1:
            yield from self._move("returned", outcome="withdrawn")
            return
        yield from self._move("accepted")
        yield from self._move("matching")
        while self._rng.random() < 0.4:
            yield from self._nobody()
        if self._rng.random() < 0.1:
            yield from self._move("cancelled", outcome="withdrawn", reasons=[])
            return
        yield from self._move("committed", reasons=[])
        yield from self._move("in_service")
        while self._rng.random() < 0.5:
            yield from self._block()
        self.expected["results"] = 1
        yield from self._move("resulted", served_at="2026-03-02T09:00:00+08:00")
        self.expected["requests_confirmed"] = 1
        yield from self._move("confirmed")
        score = self._rng.randint(1, 5)
        self.expected += Counter(evaluated=1, score=score)
        yield from self._move("evaluated", score=score)
        yield from self._move("closed", outcome="done")
        del self.expected["results"], self.expected["requests_confirmed"]
        yield from self._move("reopened", outcome=None, served_at=None)

    def _nobody(self) -> Iterator[None]:
        reasons = self._rng.sample(REASONS, self._rng.randint(1, 3))
        yield from self._move("unmatched", reasons=reasons)
        if self._rng.random() < 0.5:
            self.expected["escalations"] += 1
            yield from self._move("escalated", escalations=self.expected["escalations"])
        if self._rng.random() < 0.3:
            yield from self._move("closed", outcome="unmet")
            yield from self._move("reopened", outcome=None, reasons=[])
        yield from self._move("matching")

    def _block(self) -> Iterator[None]:
        yield from self._move("blocked", blocked_reason="sample_in_transit")
        self.expected["blocked_seconds"] += self._pass()
        blocked = self.expected["blocked_seconds"]
        yield from self._move("in_service", blocked_seconds=blocked, blocked_reason=None)

    def _pass(self) -> int:
        """Let some seconds pass; return how many."""
        seconds = self._rng.randint(0, 100_000)
        self.now += timedelta(seconds=seconds)
        return seconds

    def _move(self, state: str, **told: Any) -> Iterator[None]:
        before = self._state if self.events else None
        self._state = state
        self._told |= told
        data = {
            **_decided(len(self.events) + 1, self.node, self.now),
            "enterprise_id": "ent-1",
            "kind": self.kind,
            "demand": DEMAND,
            "before": before,
            "state": state,
            "cause": "told",
            "by": "staff",
            "submitted_at": self.submitted.isoformat(),
            "since": self.now.isoformat(),
            **self._told,
        }
        self.events.append(event("request.moved", self.subject, data, len(self.events)))
        yield

    def _count(self) -> None:
        """Add what the point at which the story stops says."""
        if self.kind == "referral":
            self.expected.clear()
            return
        self.expected["requests"] = 1
        if self._state not in {"returned", "closed", "cancelled"}:
            self.expected += Counter({"open_requests": 1, f"open_requests;state={self._state}": 1})
        waits = self._state in {"unmatched", "escalated"}
        if waits or self._told.get("outcome") == "unmet":
            self.expected["requests_unmet"] = 1
            for reason in self._told["reasons"]:
                self.expected[f"requests_unmet;reason={reason}"] = 1


class Offered:
    """One assignment for `node`: offered, then whatever became of it."""

    def __init__(self, subject: str, node: str, rng: Random, kind: Kind = "request") -> None:
        self.node = node
        at = BEGIN + timedelta(minutes=rng.randrange(40 * 24 * 60))
        self.day = at.date().isoformat()
        outcomes = ["offered", *rng.choice(([], ["committed"], ["committed", "released"],
                                            ["declined"], ["expired"]))]  # fmt: skip
        self.expected = Counter({"offers": 1, f"offers;outcome={outcomes[-1]}": 1})
        self.events = [
            event(f"match.{outcome}", subject, _offer(n, node, at, outcome, kind), n)
            for n, outcome in enumerate(outcomes, start=1)
        ]


def _offer(revision: int, node: str, at: datetime, outcome: str, kind: Kind) -> dict[str, Any]:
    return {
        **_decided(revision, node, at + timedelta(days=revision)),
        "request_id": f"{POOL}.r",
        "enterprise_id": "ent-1",
        "kind": kind,
        "outcome": outcome,
        "elements": ["MET"],
        "mode": "testing",
        "members": [],
        "parts": [],
        "score": 0,
        "offered_at": at.isoformat(),
        "expires_at": (at + timedelta(hours=2)).isoformat(),
    }


def _decided(revision: int, node: str, now: datetime) -> dict[str, Any]:
    return {
        "pool": POOL,
        "revision": revision,
        "node_id": node,
        "occurred_at": now.isoformat(),
        "actor_role": "matching",
        "actor_ref": POOL,
    }


class Office:
    """Requests, referrals and offers of a few nodes; every decision, some several times."""

    def __init__(self, name: str, rng: Random, cases: int = 12) -> None:
        self.nodes = [f"{name}-{n}" for n in range(3)]
        self.expected: dict[tuple[str, str, str], int] = {}
        self.events: list[dict[str, Any]] = []
        for serial in range(cases):
            kind: Kind = rng.choice(("request", "request", "referral"))
            made = rng.choice((Case, Case, Offered))
            one = made(f"{POOL}.{name}-{serial}", rng.choice(self.nodes), rng, kind)
            self.events += one.events
            for key, amount in one.expected.items():
                at = one.node, one.day, key
                self.expected[at] = self.expected.get(at, 0) + amount
        self.expected = {at: amount for at, amount in self.expected.items() if amount}
        self.events = [e for e in self.events for _ in range(rng.choice((1, 1, 2, 3)))]
        rng.shuffle(self.events)
