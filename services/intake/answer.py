"""What is answered: 202 with where to look, or a problem."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from bus.port import Position
from schemas.codec import encode
from schemas.topics import HEARTBEATS, REGISTRY
from services.intake.check import Admissible

FOLDERS = {
    "yizhan.node": "nodes",
    "yizhan.enterprise": "enterprises",
    "yizhan.expert": "experts",
    "yizhan.agency": "agencies",
    "yizhan.equipment": "equipment",
}
"""Where the registry's documents lie below /v1/registry/, by the slot of their events."""


def accepted(admitted: Admissible, position: Position) -> Response:
    """Answer that an event is durable, and where its verdict will be."""
    headers = {"Yizhan-Position": str(position)}
    if (place := location(admitted)) is not None:
        headers["Location"] = f"{place}?after={position}"
    return Response(encode(summary(admitted, position)), 202, headers, "application/json")


def summary(admitted: Admissible, position: Position) -> dict[str, Any]:
    """Return what was accepted; `unregistered` names enterprises not in the registry yet."""
    event = admitted.event
    found: dict[str, Any] = {
        "id": event.envelope.id,
        "subject": event.subject,
        "type": event.kind.name,
        "position": str(position),
    }
    if event.kind.topic is not HEARTBEATS:
        found["revision"] = event.data.revision
    if admitted.unregistered:
        found["unregistered"] = admitted.unregistered
    return found


def location(admitted: Admissible) -> str | None:
    """Return the path of what an event speaks about."""
    event = admitted.event
    if admitted.request is not None:
        return f"/v1/requests/{admitted.request}/asks/{event.subject}"
    if event.kind.topic is REGISTRY:
        return f"/v1/registry/{FOLDERS[event.slot]}/{event.subject}"
    return f"/v1/facts/{event.slot}/{event.subject}" if event.kind.is_fact else None


def told(status: int, body: Mapping[str, Any] | list[Any]) -> Response:
    """Answer with JSON."""
    return Response(encode(body), status, media_type="application/json")  # type: ignore[arg-type]
