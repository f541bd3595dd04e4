"""Who may write what: the key's role, whom it speaks for, and the nodes below its scope."""

from datetime import datetime

from fastapi import Request

from bus.keys import Keys, Principal, Role, bearer
from schemas.asks import Moving, OfferAccepted, OfferDeclined
from schemas.codec import Event
from schemas.days import business_day
from schemas.errors import Forbidden
from schemas.pools import owner
from schemas.registry import ROOT, Enterprise, Node
from schemas.supply import Resource
from schemas.tree import Registry
from services.intake.home import assigned, requested
from services.intake.rules import parents
from services.intake.scene import Scene
from services.intake.voice import resource, speak


def identify(keys: Keys, request: Request, role: Role) -> Principal:
    """Return whose key the request shows; raises Unauthenticated, or Forbidden for its role."""
    principal = keys.check(bearer(request.headers.get("authorization", "")))
    if not principal.role.includes(role):
        raise Forbidden(f"this takes a key of role {role.value}, not {principal.role.value}")
    return principal


def permit(principal: Principal, scene: Scene, event: Event, now: datetime) -> None:
    """Raise Forbidden unless the key reaches every node that the event touches.

    It must do so on the day that the event states and today: by a date in the past a former parent
    would get back what moved away, and by today's alone a new one would get what came before.
    What somebody has been assigned to they may ask about, wherever it is.
    """
    data, registry = event.data, scene.registry
    speak(principal, scene, event)
    if isinstance(data, Node) and not principal.role.includes(Role.ADMIN):
        raise Forbidden("writing nodes takes a key of role admin")
    days = {business_day(getattr(data, "occurred_at", now)), business_day(now)}
    for node in _touched(registry, event) | _asked(principal, scene, data):
        for day in sorted(days):
            if not registry.covers(principal.scope, node, day):
                raise Forbidden(f"the key's scope {principal.scope} does not cover {node} on {day}")


def _touched(registry: Registry, event: Event) -> set[str]:
    data, subject = event.data, event.subject
    if isinstance(data, Node):
        known = {subject} if subject in registry.nodes else set()
        return known | parents(data).keys() | ({ROOT} if subject == ROOT else set())
    if isinstance(data, Enterprise):
        registered = registry.enterprises.get(subject)
        return {data.node_id} | ({registered.node_id} if registered else set())
    if isinstance(data, Moving | OfferAccepted | OfferDeclined):
        return set()
    origin = {owner(subject)} if event.kind.is_fact or isinstance(data, Resource) else set()
    return origin | {data.node_id}


def _asked(principal: Principal, scene: Scene, ask: object) -> set[str]:
    """Return the nodes that an ask touches, but for those that an assignment opens to the key."""
    who = resource(principal)
    if isinstance(ask, Moving):
        request = requested(scene, ask.request_id)
        at, members = request.node, request.performers
    elif isinstance(ask, OfferAccepted | OfferDeclined):
        at, members = owner(ask.assignment_id), assigned(scene, ask.assignment_id).members
        if who is not None and who not in members:
            raise Forbidden(f"{who} is no member of the assignment {ask.assignment_id}")
    else:
        return set()
    return {at, ask.node_id} - ({at} if who in members else set())
