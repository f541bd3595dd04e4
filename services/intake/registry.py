"""The registry's documents: put as a whole, and read back."""

from typing import Any

from fastapi import APIRouter, Request, Response

from bus.keys import Role
from schemas.fields import Stated
from schemas.pools import owner
from schemas.problems import Refusal
from schemas.registry import Enterprise, Node
from schemas.supply import Agency, Equipment, Expert
from services.intake.answer import told
from services.intake.change import SLOTS, changed
from services.intake.door import Door
from services.intake.draft import draft
from services.intake.facts import Endpoint, publish
from services.intake.match import follow, matched
from services.intake.openapi import described
from services.intake.parse import parse

_MODELS: dict[str, type[Stated]] = {
    "nodes": Node,
    "enterprises": Enterprise,
    "experts": Expert,
    "agencies": Agency,
    "equipment": Equipment,
}


def router(door: Door) -> APIRouter:
    """Return the routes of the registry."""
    routes = APIRouter(tags=["intake"])
    for folder, model in _MODELS.items():
        path = f"/v1/registry/{folder}/{{id}}"
        optional = () if folder == "enterprises" else ("node_id",)
        described(routes, "PUT", path, model, _putting(door, folder), optional=optional)
        routes.add_api_route(path, _getting(door, folder), methods=["GET"], name=f"get_{folder}")
    return routes


def _putting(door: Door, folder: str) -> Endpoint:
    async def put(request: Request) -> Response:
        async with door.enter(request, door.posts) as visit:
            subject, data = request.path_params["id"], parse(visit.body)
            outlook = door.outlook()
            await outlook.refresh()
            registry = outlook.registry
            if folder != "enterprises":
                data.setdefault("node_id", owner(subject))
            _number(request, data, registry.standing.get((SLOTS[folder], subject)) is not None)
            kind = changed(registry, folder, subject, data)
            made = draft(kind, subject, data, door.clock())
            return await publish(door, made, visit.principal, outlook)

    return put


def _getting(door: Door, folder: str) -> Endpoint:
    async def get(request: Request) -> Response:
        async with door.enter(request, door.posts, Role.READER) as visit:
            subject = request.path_params["id"]
            await door.view.current()
            registry = door.view.registry
            found = getattr(registry, folder).get(subject)
            if found is None:
                raise Refusal(404, "unknown", f"there is no {subject} in {folder}")
            who = visit.principal
            if subject != who.subject and not who.reads(registry, found.node_id, door.today()):
                raise who.forbidden(found.node_id)
            data = found.model_dump(mode="json", by_alias=True, exclude_unset=True)
            return told(200, {"id": subject, "revision": found.revision, "data": data})

    return get


def _number(request: Request, data: dict[str, Any], known: bool) -> None:  # noqa: FBT001
    """Give the document its revision: after If-Match, as the body says, or the first."""
    if (seen := matched(request)) is not None:
        follow(data, seen)
    elif "revision" not in data:
        if known:
            raise Refusal(428, "if_match", "it is there already: say If-Match, or its revision")
        data["revision"] = 1
