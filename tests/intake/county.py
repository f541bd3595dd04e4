"""A county that is a pool, who serves there, and what matching would say of its requests."""

from typing import Any

from bus.port import Record
from schemas.codec import Event, decode, encode
from schemas.topics import REQUESTS
from tests.intake.station import ACTOR, Station, event, node

AT = "2023-05-06T09:30:00+08:00"
STATED = {"occurred_at": AT, **ACTOR}
DEMAND: dict[str, Any] = {"elements": ["TST"], "mode": "testing"}
ORDER: dict[str, Any] = {"node_id": "yinhu", "enterprise_id": "ent-1", "demand": DEMAND, **STATED}
REQUEST, OFFER = "county.r-1", "county.a-1"
LAB, EXPERT = "county.lab", "county.expert"
NOBODY = "county.nobody"


async def settle(station: Station) -> None:
    """Let county be a pool with an expert and a lab."""
    area = node("county", "hub", kind="area", tier="county")
    assert (await station.put("/v1/registry/nodes/county", area, if_match="1")).is_success
    for path, document in (
        (f"experts/{EXPERT}", STATED),
        (f"agencies/{LAB}", {**STATED, "kind": "lab"}),
        ("equipment/county.scale", STATED),
    ):
        answer = await station.put(f"/v1/registry/{path}", document)
        assert answer.status_code == 202, answer.text


async def submit(station: Station, id_: str = REQUEST, **more: Any) -> None:
    """Submit a request."""
    answer = await station.post("/v1/requests", {**ORDER, "id": id_, **more})
    assert answer.status_code == 202, answer.text


async def decide(station: Station, name: str, subject: str, **data: Any) -> None:
    """Write what matching would write."""
    pool = subject.partition(".")[0]
    whole = {"revision": 1, "node_id": "yinhu", "enterprise_id": "ent-1", "pool": pool,
             "kind": "request", **STATED, **data}  # fmt: skip
    value = encode(event(name, subject, whole))
    found = decode(value)
    assert isinstance(found, Event), found
    route = found.kind.route(found.subject, found.data)
    await station.log.publish([Record(found.kind.topic, route, subject.encode(), value)])


async def move(station: Station, request: str = REQUEST, **data: Any) -> None:
    """Let matching say what a request is now."""
    moved = {"demand": DEMAND, "before": None, "state": "submitted", "cause": "queued",
             "by": "staff", "submitted_at": AT, "since": AT}  # fmt: skip
    await decide(station, "request.moved", request, **{**moved, **data})


async def offer(
    station: Station, *members: str, id_: str = OFFER, request: str = REQUEST, **data: Any
) -> None:
    """Let matching offer a request to members."""
    named = [{"kind": "expert", "id": m, "start": AT, "end": "2023-05-06T10:30:00+08:00"}
             for m in members]  # fmt: skip
    offered = {"request_id": request, "outcome": "offered", "elements": ["TST"], "mode": "testing",
               "members": named, "parts": [], "score": 0, "offered_at": AT,
               "expires_at": AT}  # fmt: skip
    await decide(station, "match.offered", id_, **{**offered, **data})


async def asks(station: Station) -> list[Event]:
    """Return all asks in the log."""
    return await station.events(REQUESTS)
