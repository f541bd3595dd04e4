"""Facts, one at a time: posted, stated anew, voided; and heartbeats."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from bus.keys import Principal
from schemas.errors import Invalid
from schemas.problems import Refusal
from schemas.types import PREFIX, TARGETS, TYPES, VOID, EventType
from services.intake.answer import accepted
from services.intake.door import Door
from services.intake.draft import Draft, draft, origin, subject_of
from services.intake.match import stated
from services.intake.openapi import described
from services.intake.outlook import Outlook
from services.intake.parse import parse

Endpoint = Callable[[Request], Awaitable[Response]]


class Way(NamedTuple):
    """A path to post to, and the type of event that a post there makes."""

    path: str
    kind: str


WAYS = (
    Way("/v1/services", "service.delivered"),
    Way("/v1/visits", "visit.completed"),
    Way("/v1/problems", "problem.found"),
    Way("/v1/problems/{id}/solve", "problem.solved"),
    Way("/v1/activities", "activity.held"),
    Way("/v1/benefits", "benefit.claimed"),
    Way("/v1/benefits/{id}/confirm", "benefit.confirmed"),
    Way("/v1/benefits/{id}/audit", "benefit.audited"),
    Way("/v1/benefits/{id}/withdraw", "benefit.withdrawn"),
    Way("/v1/titles", "title.filed"),
    Way("/v1/titles/{id}/grant", "title.granted"),
    Way("/v1/outcomes", "outcome.recorded"),
    Way("/v1/outputs", "output.produced"),
)


def router(door: Door) -> APIRouter:
    """Return the routes for single facts and heartbeats."""
    routes = APIRouter(tags=["intake"])
    for path, name in WAYS:
        kind = TYPES[PREFIX + name]
        described(routes, "POST", path, kind.model, _posting(door, kind), id_="{id}" not in path)
    single = "/v1/facts/{type}/{subject}"
    described(routes, "PUT", single, None, _stating(door))
    described(routes, "DELETE", single, None, _voiding(door))
    beat = TYPES["yizhan.heartbeat.sent"]
    described(routes, "POST", "/v1/heartbeats", beat.model, _beating(door, beat))
    return routes


async def publish(
    door: Door, made: Draft, principal: Principal, outlook: Outlook | None = None
) -> Response:
    """Judge one event, write it and answer."""
    admitted = await door.admit(made, principal, outlook or door.outlook())
    (position,) = await door.publish([admitted])
    return accepted(admitted, position)


def _posting(door: Door, kind: EventType) -> Endpoint:
    async def post(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            data = parse(visit.body)
            data.setdefault("revision", 1)
            subject = named(data, request.path_params.get("id"))
            if subject is None:
                key = request.headers.get("idempotency-key")
                path = request.scope["path"]
                subject = subject_of(origin(data), visit.principal, path, key)
            return await publish(door, draft(kind, subject, data, door.clock()), visit.principal)

    return post


def _stating(door: Door) -> Endpoint:
    async def put(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            kind, subject = _slot(request)
            data = parse(visit.body)
            named(data, subject)
            stated(request, data)
            return await publish(door, draft(kind, subject, data, door.clock()), visit.principal)

    return put


def _voiding(door: Door) -> Endpoint:
    async def delete(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            kind, subject = _slot(request)
            data = parse(visit.body) if visit.media else {}
            stated(request, data)
            if data.setdefault("target_type", kind.name) != kind.name:
                raise Invalid("target_type", "path", f"the path says {kind.name}")
            whole = _void(request, visit.principal, subject, door.today()) | data
            return await publish(
                door, draft(TYPES[VOID], subject, whole, door.clock()), visit.principal
            )

    return delete


def _void(request: Request, principal: Principal, subject: str, today: str) -> dict[str, Any]:
    """Return what a void says unless its body does: by the key's holder, at the fact's origin.

    Its time is the day's beginning: a retry on the same day is then the same statement.
    """
    asked = request.query_params
    return {
        "node_id": subject.partition(".")[0],
        "occurred_at": f"{today}T00:00:00+08:00",
        "actor_role": principal.role.value,
        "actor_ref": principal.id,
        **({"reason": asked["reason"]} if "reason" in asked else {}),
    }


def _beating(door: Door, kind: EventType) -> Endpoint:
    async def beat(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            data = parse(visit.body)
            made = draft(kind, data.get("node_id"), data, door.clock())
            return await publish(door, made, visit.principal)

    return beat


def named(data: dict[str, Any], path: str | None) -> object:
    """Take the `id` out of a body; a path that names one already must name the same."""
    given = data.pop("id", path)
    if path is not None and given != path:
        raise Invalid("id", "path", f"the path says {path}")
    return given


def _slot(request: Request) -> tuple[EventType, str]:
    """Return what the path names; its type may be written in full or without `yizhan.`."""
    name = request.path_params["type"]
    full = name if name.startswith(PREFIX) else PREFIX + name
    if full not in TARGETS:
        raise Refusal(404, "type", f"there are no facts of type {full}")
    return TYPES[full], request.path_params["subject"]
