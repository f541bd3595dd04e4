"""Asks over HTTP: what a crowd would write to the log goes through an intake instead."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from bus import Bus, Position, Record
from schemas.types import PREFIX
from services.intake.asks import ANSWERS, MOVES
from tests.faults.ledger import Patient

VERBS = {PREFIX + move.kind: move.verb for move in (*MOVES, *ANSWERS)}
NOBODYS = re.compile(r"\.(unheard-of|[1-9])/")
"""A path to a request that is none, or to a referral, which nobody may ask about."""
PAUSE = 0.1
"""Seconds until what was not taken is posted again."""


class Posts(Patient):
    """A log whose records are posted to an intake, each until it is taken or rightly refused.

    Every second ask has an id of its own. The others have an Idempotency-Key, and do not say when
    they are asked, so that it is for intake to say the same again to whoever has heard nothing.
    `taken` are the type and id of all that was taken.
    """

    def __init__(self, log: Bus, url: str, http: httpx.AsyncClient) -> None:
        super().__init__(log)
        self._url, self._http = url, http
        self._named: dict[bytes, str] = {}
        self.taken: set[tuple[str, str]] = set()
        self.figures: Counter[str] = Counter()

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        """Post one after another; return where those stand that were taken."""
        found = [await self._post(record) for record in records]
        return [position for position in found if position is not None]

    async def _post(self, record: Record) -> Position | None:
        path, body, headers = _posted(record)
        while True:
            with suppress(httpx.TransportError):
                answer = await self._http.post(f"{self._url}/v1/{path}", json=body, headers=headers)
                if answer.status_code == 202:
                    return self._taken(record, answer)
                if answer.status_code in {404, 422}:
                    self._refused(path, answer)
                    return None
                assert answer.status_code in {429, 503}, f"{path}: {answer.text}"
            self.figures["posted_again"] += 1
            await asyncio.sleep(PAUSE)

    def _taken(self, record: Record, answer: httpx.Response) -> Position:
        told = answer.json()
        name = self._named.setdefault(record.key, told["subject"])
        assert told["subject"] == name, f"one ask, two ids: {name} and {told['subject']}"
        self.taken.add((told["type"], name))
        self.figures["taken"] += 1
        topic, number, offset = answer.headers["yizhan-position"].split(":")
        return Position(topic, int(number), int(offset))

    def _refused(self, path: str, answer: httpx.Response) -> None:
        rule = answer.json()["rule"]
        right = rule == "role" or (rule == "unknown_request" and NOBODYS.search(path))
        assert right, f"{path}: {answer.text}"
        self.figures["refused"] += 1


def _posted(record: Record) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Return the path, the body and the headers of an ask; of the same ask always the same."""
    assert record.value is not None
    event = json.loads(record.value)
    body: dict[str, Any] = event["data"]
    path, verb = "requests", VERBS.get(event["type"])
    if verb is not None:
        about = "requests" if "request_id" in body else "offers"
        path = f"{about}/{body.get('request_id') or body['assignment_id']}/{verb}"
    if event["subject"][-1] in "02468ace":
        return path, body | {"id": event["subject"]}, {}
    if verb is not None:
        del body["occurred_at"]
    return path, body, {"Idempotency-Key": event["subject"]}
