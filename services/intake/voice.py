"""What a key that speaks for somebody may write: for a resource, or for an enterprise."""

from bus.keys import Principal
from schemas.asks import Ask, Moving, RequestSubmitted
from schemas.codec import Event
from schemas.errors import Forbidden
from schemas.lifecycle import ENTERPRISE, PERFORMER
from schemas.tree import Registry
from schemas.types import PREFIX
from services.intake.scene import Scene

_PERFORMED = {
    "offer.accepted", "offer.declined", "service.started", "service.blocked", "service.unblocked",
    "request.result_recorded",
}  # fmt: skip
_ORDERED = {
    "request.submitted", "request.cancelled", "request.confirmed", "request.disputed",
    "request.evaluated", "request.reopened",
}  # fmt: skip


def resource(principal: Principal) -> str | None:
    """Return the resource that a key speaks for, if it does for one."""
    return principal.subject if principal.subject and "." in principal.subject else None


def enterprise(principal: Principal) -> str | None:
    """Return the enterprise that a key speaks for, if it does for one."""
    return None if resource(principal) else principal.subject


def role(principal: Principal, registry: Registry) -> str:
    """Return the role in which a key asks, unless it says another."""
    if (who := resource(principal)) is not None:
        agency = registry.agencies.get(who)
        return "expert" if agency is None else agency.kind
    return "staff" if principal.subject is None else "enterprise"


def speak(principal: Principal, scene: Scene, event: Event) -> None:
    """Raise Forbidden unless a key that speaks for somebody may say this for them."""
    if (who := resource(principal)) is not None:
        _allow(event, _PERFORMED, PERFORMER, who)
        _itself(scene.registry, event.data, who)
    elif (who := enterprise(principal)) is not None:
        _allow(event, _ORDERED, ENTERPRISE, who)
        _own(scene, event.data, who)


def _allow(event: Event, kinds: set[str], roles: frozenset[str], who: str) -> None:
    name = event.kind.name.removeprefix(PREFIX)
    if name not in kinds:
        raise Forbidden(f"a key that speaks for {who} cannot write {name}")
    if event.data.actor_role not in roles:
        raise Forbidden(f"a key that speaks for {who} has no role {event.data.actor_role}")


def _itself(registry: Registry, ask: Ask, who: str) -> None:
    if who not in registry.experts and who not in registry.agencies:
        raise Forbidden(f"no expert or agency {who} is registered")
    if ask.resource != who:
        raise Forbidden(f"this key speaks for the resource {who} only")


def _own(scene: Scene, ask: Ask, who: str) -> None:
    """Raise Forbidden for the requests of others; who was merged into another is that one."""
    named = ask.enterprise_id if isinstance(ask, RequestSubmitted) else None
    if isinstance(ask, Moving) and (request := scene.request(ask.request_id)) is not None:
        named = request.enterprise
    same = scene.registry.resolve
    if named is None or same(named) != same(who):
        raise Forbidden(f"this key speaks for the enterprise {who} only")
