"""Rules about pools and requests: where resources, requests and asks belong, who asks what.

Pure. Whether a move is legal now is not asked here: matching judges that.
"""

from collections.abc import Iterator, Mapping

from schemas.asks import Ask, Moving, OfferAccepted, OfferDeclined, RequestSubmitted
from schemas.codec import Event
from schemas.errors import Invalid
from schemas.lifecycle import TABLE
from schemas.pools import misnamed, owner, pool
from schemas.problems import Refusal
from schemas.registry import ROOT
from schemas.supply import Agency, Equipment, Expert, Resource
from schemas.tree import Registry
from schemas.types import PREFIX
from services.intake.rules import unknown
from services.intake.scene import Assignment, Request, Scene


def target(data: Ask) -> str | None:
    """Return the id of the request or the assignment that an ask is about; None: of a new one."""
    if isinstance(data, OfferAccepted | OfferDeclined):
        return data.assignment_id
    return data.request_id if isinstance(data, Moving) else None


def homes(scene: Scene, event: Event, day: str) -> Iterator[Invalid]:
    """Find a resource, a request or an ask whose id names another pool than its own."""
    data = event.data
    if isinstance(data, Resource):
        yield from _resource(scene, event.subject, data, day)
    elif isinstance(data, RequestSubmitted):
        yield from _request(scene, event.subject, data, day)
    elif isinstance(data, Ask):
        yield from _ask(event.subject, str(target(data)))
    if isinstance(data, Ask):
        yield from _role(event)


def about(scene: Scene, event: Event) -> str | None:
    """Return the id of the request that an ask is about; raises Refusal (404) for unknown ones."""
    data = event.data
    if isinstance(data, Moving):
        requested(scene, data.request_id)
        return data.request_id
    if isinstance(data, OfferAccepted | OfferDeclined):
        return assigned(scene, data.assignment_id).request
    return event.subject if isinstance(data, RequestSubmitted) else None


def requested(scene: Scene, id_: str) -> Request:
    """Return a request; raises Refusal (404) when nobody knows it."""
    found = scene.request(id_)
    if found is None:
        raise Refusal(404, "unknown_request", f"there is no request {id_[:160]}")
    return found


def assigned(scene: Scene, id_: str) -> Assignment:
    """Return an assignment; raises Refusal (404) when nobody knows it."""
    found = scene.assignment(id_)
    if found is None:
        raise Refusal(404, "unknown_assignment", f"there is no assignment {id_[:160]}")
    return found


def _resource(scene: Scene, subject: str, data: Resource, day: str) -> Iterator[Invalid]:
    home, registry = owner(subject), scene.registry
    if (home != ROOT and home not in registry.nodes) or pool(registry, home, day) != home:
        yield Invalid("subject", "unknown_pool", f"no pool {home} is registered")
    elif not registry.covers(home, data.node_id, day):
        yield Invalid("data.node_id", "pool", f"{data.node_id} does not lie below the pool {home}")
    if (kind := _other(registry, subject, data)) is not None:
        yield Invalid("subject", "taken", f"{subject} is registered as {kind}")


def _other(registry: Registry, subject: str, data: Resource) -> str | None:
    """Return what a resource's id belongs to already, if that is of another kind.

    A booking, an offer and a key name nothing but the id.
    """
    kinds: tuple[tuple[str, type[Resource], Mapping[str, Resource]], ...] = (
        ("an expert", Expert, registry.experts),
        ("an agency", Agency, registry.agencies),
        ("equipment", Equipment, registry.equipment),
    )
    return next((n for n, kind, held in kinds if subject in held and type(data) is not kind), None)


def _request(scene: Scene, subject: str, data: RequestSubmitted, day: str) -> Iterator[Invalid]:
    if data.demand.within is not None:
        yield from unknown(scene.registry, data.demand.within, "data.demand.within")
    if (flaw := misnamed(subject)) is not None:
        yield Invalid("subject", "misnamed", flaw)
    home = pool(scene.registry, data.node_id, day)
    # What was submitted once keeps its pool, also when the tree has changed since.
    if owner(subject) != home and scene.request(subject) is None:
        yield Invalid("subject", "pool", f"requests at {data.node_id} have ids {home}.…")


def _ask(subject: str, of: str) -> Iterator[Invalid]:
    if subject == of:
        yield Invalid("subject", "own_id", "an ask has an id of its own")
    elif owner(subject) != owner(of):
        yield Invalid("subject", "pool", f"asks about {of} have ids {owner(of)}.…")


def _role(event: Event) -> Iterator[Invalid]:
    asked = event.kind.name.removeprefix(PREFIX)
    roles = frozenset[str]().union(*(row.by for row in TABLE if row.ask == asked))
    if event.data.actor_role not in roles:
        may = ", ".join(sorted(roles))
        yield Invalid("data.actor_role", "role", f"{asked} is asked by one of: {may}")
