"""What people ask of matching: a new request, a move of one, an answer to an offer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from bus.keys import Principal
from schemas.errors import Invalid
from schemas.pools import owner, pool
from schemas.types import PREFIX, TYPES, EventType
from services.intake import voice
from services.intake.door import SUBMITTED, Door
from services.intake.draft import draft, origin, subject_of
from services.intake.facts import Endpoint, named, publish
from services.intake.home import assigned, requested
from services.intake.openapi import described
from services.intake.outlook import Outlook
from services.intake.parse import parse


class Move(NamedTuple):
    """The last part of a path, and the type of the ask that a post there makes."""

    verb: str
    kind: str


MOVES = (
    Move("accept", "request.accepted"),
    Move("return", "request.returned"),
    Move("start", "service.started"),
    Move("block", "service.blocked"),
    Move("unblock", "service.unblocked"),
    Move("result", "request.result_recorded"),
    Move("confirm", "request.confirmed"),
    Move("dispute", "request.disputed"),
    Move("evaluate", "request.evaluated"),
    Move("follow-up", "request.followed_up"),
    Move("escalate", "escalation.requested"),
    Move("cancel", "request.cancelled"),
    Move("close", "request.closed"),
    Move("reopen", "request.reopened"),
)
ANSWERS = (Move("accept", "offer.accepted"), Move("decline", "offer.declined"))
_WHO = ("actor_role", "actor_ref")


def router(door: Door) -> APIRouter:
    """Return the routes for asks."""
    routes = APIRouter(tags=["intake"])
    kind = TYPES[SUBMITTED]
    submitting = _submitting(door, kind)
    described(routes, "POST", "/v1/requests", kind.model, submitting, id_=True, optional=_WHO)
    for folder, moves, field in (
        ("requests", MOVES, "request_id"),
        ("offers", ANSWERS, "assignment_id"),
    ):
        for verb, name in moves:
            kind = TYPES[PREFIX + name]
            path, asking = f"/v1/{folder}/{{id}}/{verb}", _asking(door, kind, field)
            optional = (field, "node_id", "occurred_at", *_WHO)
            described(routes, "POST", path, kind.model, asking, id_=True, optional=optional)
    return routes


def _submitting(door: Door, kind: EventType) -> Endpoint:
    async def post(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            outlook = door.outlook()
            await outlook.refresh()
            data = _spoken(parse(visit.body), visit.principal, outlook)
            if (who := voice.enterprise(visit.principal)) is not None:
                data.setdefault("enterprise_id", who)
            home = pool(outlook.registry, origin(data), door.today())
            subject = _subject(request, data, visit.principal, home)
            made = draft(kind, subject, data, door.clock())
            return await publish(door, made, visit.principal, outlook)

    return post


def _asking(door: Door, kind: EventType, field: str) -> Endpoint:
    async def post(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            outlook, of = door.outlook(), request.path_params["id"]
            data = parse(visit.body)
            if data.setdefault(field, of) != of:
                raise Invalid(field, "path", f"the path says {of[:160]}")
            data.setdefault("node_id", await _place(outlook, field, of))
            if voice.resource(visit.principal) is not None:
                await outlook.refresh()
            _spoken(data, visit.principal, outlook)
            subject = _subject(request, data, visit.principal, owner(of))
            async with _asked(door, data, subject):
                made = draft(kind, subject, data, door.clock())
                return await publish(door, made, visit.principal, outlook)

    return post


@asynccontextmanager
async def _asked(door: Door, data: dict[str, Any], subject: object) -> AsyncIterator[None]:
    """Let `data` tell when it is asked, unless it does: now, and in each retry the same."""
    if "occurred_at" in data:
        yield
        return
    async with door.cases.asking(str(subject), door.clock()) as time:
        data["occurred_at"] = time
        yield


async def _place(outlook: Outlook, field: str, of: str) -> str:
    """Return where an ask is for: the node of its request, the pool of its assignment.

    Raises Refusal (404) when there is no such request or assignment.
    """
    if field == "request_id":
        return (await outlook.judge(lambda: requested(outlook, of), owner(of))).node
    await outlook.judge(lambda: assigned(outlook, of), owner(of))
    return owner(of)


def _spoken(data: dict[str, Any], principal: Principal, outlook: Outlook) -> dict[str, Any]:
    """Let `data` say who asks, unless it does: the key's holder, or whom the key speaks for."""
    data.setdefault("revision", 1)
    data.setdefault("actor_role", voice.role(principal, outlook.registry))
    data.setdefault("actor_ref", principal.id)
    if (who := voice.resource(principal)) is not None:
        data.setdefault("resource", who)
    return data


def _subject(request: Request, data: dict[str, Any], principal: Principal, home: str) -> object:
    """Return the caller's own id, or one that is the same for each retry."""
    own = named(data, None)
    if own is not None:
        return own
    key = request.headers.get("idempotency-key")
    return subject_of(home, principal, request.scope["path"], key)
