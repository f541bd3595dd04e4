"""Load over HTTP, and a naive ledger of what was acknowledged.

Each client states facts and further revisions of them. What is not acknowledged is sent again, as
it was, until it is: so in the end the ledger says exactly what must have been counted.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.histories import event

STATIONS = ("yinhu", "anlu", "dawu")
DAYS = ("2023-05-06", "2023-05-07", "2024-01-31")
ENTERPRISES = 3000
NEW, ANY = 0.4, 0.06
"""Shares of what is stated: about a new subject, and about any; the rest is about a recent one."""
RECENT = 30
"""So many subjects of a client are recent. All others stand, so that what is lost is missed."""


@dataclass
class Ledger:
    """What stands by subject, and how often something was acknowledged or had to be repeated.

    `statements` are the subject and revision of everything that was acknowledged.
    """

    standing: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    statements: set[tuple[str, int]] = field(default_factory=set)
    acknowledged: int = 0
    repeated: int = 0

    def measures(self, node: str = "hub", day: str = "") -> dict[str, int]:
        """Add up what stands at a node, in all or of one day."""
        facts = [
            fact
            for fact in self.standing.values()
            if fact and node in ("hub", fact["node_id"]) and fact["occurred_at"].startswith(day)
        ]
        return {
            "services_delivered": len(facts),
            "enterprises_served": len({fact["enterprise_id"] for fact in facts}),
        }


class Client:
    """States facts one batch after another, of at most so many, until told to stop.

    `rest` are seconds between two batches.
    """

    rest = 0.0

    def __init__(
        self, url: Callable[[], str], key: str, name: str, ledger: Ledger, most: int = 8
    ) -> None:
        self._url, self._ledger, self._name, self._most = url, ledger, name, most
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/cloudevents-batch+json",
        }
        self._rng = Random(name)
        self._revisions: dict[str, int] = defaultdict(int)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; return once everything sent is acknowledged."""
        async with httpx.AsyncClient(timeout=5.0) as http:
            while not stop.is_set():
                await self._state(http, self.batch())
                await asyncio.sleep(self.rest)

    def batch(self) -> list[dict[str, Any]]:
        """Make up what is stated next."""
        return [self._next() for _ in range(self._rng.randint(1, self._most))]

    def acknowledge(self, sent: dict[str, Any]) -> None:
        """Write down that an event was acknowledged."""
        voided = sent["type"] == "yizhan.record.voided"
        self._ledger.standing[sent["subject"]] = None if voided else sent["data"]
        self._ledger.statements.add((sent["subject"], sent["data"]["revision"]))
        self._ledger.acknowledged += 1

    def _next(self) -> dict[str, Any]:
        serial = self._serial()
        subject = f"{STATIONS[serial % 3]}.{self._name}-{serial}"
        self._revisions[subject] += 1
        stated: dict[str, Any] = {
            "revision": self._revisions[subject],
            "node_id": self._rng.choice(STATIONS),
            "occurred_at": f"{self._rng.choice(DAYS)}T09:30:00+08:00",
            "actor_role": "staff",
            "actor_ref": "s-1",
        }
        if stated["revision"] > 1 and self._rng.random() < 0.2:
            void = {"target_type": "yizhan.service.delivered", "reason": "entered twice"}
            return event("record.voided", subject, stated | void)
        fact = {
            # A few are served often, most once or never: sets overlap, and there is no end to them.
            "enterprise_id": f"ent-{int(ENTERPRISES * self._rng.random() ** 3)}",
            "elements": ["STD"],
            "mode": "diagnosis",
        }
        return event("service.delivered", subject, stated | fact)

    def _serial(self) -> int:
        """Draw which subject is stated."""
        known, drawn = len(self._revisions), self._rng.random()
        if drawn < NEW or not known:
            return known
        oldest = 0 if drawn < NEW + ANY else max(known - RECENT, 0)
        return self._rng.randrange(oldest, known)

    async def _state(self, http: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
        while batch:
            batch = await self._send(http, batch)
            if batch:
                self._ledger.repeated += len(batch)
                await asyncio.sleep(0.05)  # whoever answers is just being started again

    async def _send(
        self, http: httpx.AsyncClient, batch: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Send a batch; return what was not acknowledged."""
        body = json.dumps(batch).encode()
        try:
            answer = await http.post(
                f"{self._url()}/v1/events", content=body, headers=self._headers
            )
        except httpx.HTTPError:
            return batch
        if answer.status_code == 503:
            return batch
        assert answer.status_code == 207, answer.text
        left = []
        for told in answer.json():
            sent = batch[told["index"]]
            if told["status"] == 202:
                self.acknowledge(sent)
            else:
                assert told["status"] == 503, told
                left.append(sent)
        return left
