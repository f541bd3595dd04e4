"""Asks, and what matching decides on them, as it writes them: whole models, encoded."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bus.port import Position, Record
from schemas.codec import Event, decode
from schemas.topics import REGISTRY
from schemas.types import PREFIX, TYPES
from tests.screens.made import NOW, event, stated

DEMAND = {"elements": ["STD"], "mode": "diagnosis", "about": "the secret recipe"}


def said(kind: str, subject: str, data: dict[str, Any], at: datetime = NOW) -> Record:
    """Return an event of requests or assignments, whole, as its model writes it."""
    found = TYPES[PREFIX + kind]
    model = found.model.model_validate_json(json.dumps(data))
    value = event(kind, subject, model.model_dump(mode="json", by_alias=True), at)
    return Record(found.topic, found.route(subject, model), subject.encode(), value)


def ask(kind: str, subject: str, request: str | None = None, **more: Any) -> Record:
    """Return an ask of staff at s-1, unless it says otherwise."""
    about = {"request_id": request} if request else {}
    return said(kind, subject, stated("s-1") | about | more)


def submitted(request: str, enterprise: str = "e-1", node: str = "s-1", **demand: Any) -> Record:
    """Return the submission of a request."""
    more = {"enterprise_id": enterprise, "demand": DEMAND | demand, "node_id": node}
    return said("request.submitted", request, stated(node) | more)


def resource(type_: str, subject: str, /, **more: Any) -> Record:
    data = stated("area") | more
    return Record(REGISTRY, subject, subject.encode(), event(type_, subject, data))


def read(record: Record) -> Event:
    found = decode(record.value)
    assert isinstance(found, Event)
    return found


@dataclass
class Pool:
    """Decides as one pool's matcher does: revisions rise, what is not named stays as it was."""

    name: str = "area"
    now: Callable[[], datetime] = lambda: NOW
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    offers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def move(
        self, request: str, state: str, cause: str = "", answer: Record | None = None, **more: Any
    ) -> Record:
        """Move a request; `answer` is the ask that this is the verdict on."""
        before = self.cases.get(request) or self._new(more.pop("node", "s-1"))
        verdict = self._verdict(answer) if answer else {"by": "matching", "ask": None}
        case = before | {
            **self._signed(before["revision"] + 1, before["node_id"]),
            "before": before.get("state"),
            "state": state,
            "since": self._stamp(),
            "cause": cause or "queued",
            "note": None,
            **verdict,
            **more,
        }
        self.cases[request] = case
        return said("request.moved", request, case)

    def submit(self, asked: Record) -> Record:
        """Take a submission in."""
        found = read(asked)
        data = json.loads(asked.value or b"")["data"]
        more = {"enterprise_id": data["enterprise_id"], "demand": data["demand"]}
        return self.move(found.subject, "submitted", "", asked, node=data["node_id"], **more)

    def refuse(self, asked: Record, cause: str = "state", **more: Any) -> Record:
        """Refuse an ask."""
        found, request = read(asked), getattr(read(asked).data, "request_id", None)
        state = self.cases.get(request, {}).get("state") if request else None
        verdict = {
            "request_id": request,
            "assignment_id": getattr(found.data, "assignment_id", None),
            "asked": found.kind.name.removeprefix(PREFIX),
            "content": found.content,
            "cause": cause,
            "detail": "that cannot be now",
            "state": state,
            "legal": ["request.cancelled"],
        }
        data = self._signed(1, found.data.node_id) | verdict | more
        return said("request.refused", found.subject, data)

    def offer(self, request: str, *members: str, number: int = 1, **more: Any) -> Record:
        """Offer a request to experts, for two hours from now on."""
        case, which = self.cases[request], f"{self.name}.{request.partition('.')[2]}-{number}"
        until = (self.now() + timedelta(hours=2)).isoformat()
        self.offers[which] = {
            **self._signed(1, case["node_id"]),
            "request_id": request,
            "enterprise_id": case["enterprise_id"],
            "kind": case["kind"],
            "outcome": "offered",
            "elements": case["demand"]["elements"],
            "mode": case["demand"]["mode"],
            "members": [
                {"kind": "expert", "id": m, "start": self._stamp(), "end": until} for m in members
            ],
            "parts": [{"name": "resident", "points": 30}, {"name": "load", "points": -2}],
            "score": 28,
            "alternatives": [{"members": ["area.other"], "score": 11}],
            "passed": [{"id": "area.away", "reason": "no_slot_in_time"}],
            "offered_at": self._stamp(),
            "expires_at": until,
            **more,
        }
        return said("match.offered", which, self.offers[which])

    def settle(self, which: str, outcome: str, **more: Any) -> Record:
        """Say what became of an offer."""
        offer = self.offers[which]
        signed = self._signed(offer["revision"] + 1, offer["node_id"])
        self.offers[which] = offer | signed | {"outcome": outcome} | more
        return said(f"match.{outcome}", which, self.offers[which])

    def nobody(self, request: str, *reasons: str) -> Record:
        """Say why nobody can serve."""
        case = self.cases[request]
        return said(
            "request.unmatched",
            request,
            {
                **self._signed(case["revision"] + 1, case["node_id"]),
                "request_id": request,
                "kind": case["kind"],
                "reasons": reasons,
                "passed": [{"id": "area.x", "reason": reasons[0]}],
                "relaxation": [{"field": "need_by", "to": "null"}],
                "would_fit": ["area.x"],
            },
        )

    def escalate(self, request: str, to: str, level: int = 1) -> Record:
        """Say that the pool above is asked."""
        case = self.cases[request]
        return said(
            "request.escalated",
            request,
            {
                **self._signed(case["revision"] + 1, case["node_id"]),
                "request_id": request,
                "child": f"{request}.{level}",
                "from_pool": self.name,
                "to_pool": to,
                "level": level,
                "reason": "no_specialty",
            },
        )

    def advanced(self, partition: int, *asked: Position) -> Record:
        """Say that everything up to these asks, with them, is decided."""
        places = {f"{p.topic}:{p.partition}": p.offset + 1 for p in asked}
        data = {"partition": partition, "positions": places, "now": self._stamp()}
        return said("pool.advanced", f"advanced/{partition}", data)

    def _new(self, node: str) -> dict[str, Any]:
        return {
            **self._signed(0, node),
            "enterprise_id": "e-1",
            "kind": "request",
            "demand": DEMAND,
            "submitted_at": self._stamp(),
        }

    def _verdict(self, answer: Record) -> dict[str, Any]:
        found = read(answer)
        cause = found.kind.name.removeprefix(PREFIX)
        return {
            "ask": found.subject,
            "content": found.content,
            "by": found.data.actor_role,
            "cause": cause,
            "note": getattr(found.data, "reason", None),
        }

    def _signed(self, revision: int, node: str) -> dict[str, Any]:
        return {
            "pool": self.name,
            "revision": revision,
            "node_id": node,
            "occurred_at": self._stamp(),
            "actor_role": "matching",
            "actor_ref": self.name,
        }

    def _stamp(self) -> str:
        return self.now().isoformat()
