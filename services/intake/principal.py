"""Who may write what: the key's role, and the nodes below its scope."""

from datetime import datetime

from fastapi import Request

from bus.keys import Keys, Principal, Role, bearer
from schemas.codec import Event
from schemas.days import business_day
from schemas.errors import Forbidden
from schemas.registry import ROOT, Enterprise, Node
from schemas.tree import Registry
from services.intake.rules import parents


def identify(keys: Keys, request: Request, role: Role) -> Principal:
    """Return whose key the request shows; raises Unauthenticated, or Forbidden for its role."""
    principal = keys.check(bearer(request.headers.get("authorization", "")))
    if not principal.role.includes(role):
        raise Forbidden(f"this takes a key of role {role.value}, not {principal.role.value}")
    return principal


def permit(principal: Principal, registry: Registry, event: Event, now: datetime) -> None:
    """Raise Forbidden unless the key reaches every node that the event touches.

    It must do so on the day that the event states and today: by a date in the past a former parent
    would get back what moved away, and by today's alone a new one would get what came before.
    """
    data = event.data
    if isinstance(data, Node) and not principal.role.includes(Role.ADMIN):
        raise Forbidden("writing nodes takes a key of role admin")
    days = {business_day(getattr(data, "occurred_at", now)), business_day(now)}
    for node in _touched(registry, event):
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
    origin = {subject.partition(".")[0]} if event.kind.is_fact else set()
    return origin | {data.node_id}
