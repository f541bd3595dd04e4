"""The whole judgement on one event, ending with the very decoder that the fold uses."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import ValidationError

from bus.keys import Principal
from bus.port import Bus, Record
from schemas.codec import Event, decoder, encode
from schemas.days import business_day
from schemas.envelope import envelope
from schemas.errors import Invalid, Rejected, TooLarge
from schemas.registry import Enterprise, Node
from schemas.reports import HeartbeatSent
from schemas.supply import Resource
from schemas.topics import MAX_RECORD, REGISTRY
from schemas.tree import Registry
from services.intake.control import control
from services.intake.draft import Draft, relative
from services.intake.home import about, homes
from services.intake.principal import permit
from services.intake.rules import circle, days, future, parents, personal, unknown
from services.intake.scene import Scene


class Admissible(NamedTuple):
    """What may be published: nothing about it can be refused any more."""

    event: Event
    record: Record
    unregistered: list[str]
    """Enterprises that it names and nobody has registered yet."""
    request: str | None = None
    """The request that it asks about, if it is an ask."""


class Checks:
    """Judges events for one log; pure but for asking that log how many partitions there are."""

    def __init__(self, log: Bus, ahead: timedelta) -> None:
        self._log, self._ahead = log, ahead

    def admit(self, draft: Draft, principal: Principal, scene: Scene, now: datetime) -> Admissible:
        """Return what to publish; raises Invalid, Refusal (404), Forbidden or TooLarge."""
        try:
            event, record = self._formed(draft, now)
            _refuse([*_places(scene.registry, event), *homes(scene, event, business_day(now))])
        except Invalid as error:
            raise (relative(error) if draft.given else error) from None
        request = about(scene, event)
        permit(principal, scene, event, now)
        return Admissible(event, record, _unregistered(scene.registry, event), request)

    def _formed(self, draft: Draft, now: datetime) -> tuple[Event, Record]:
        """Judge what needs no registry."""
        value = _encoded(draft)
        data = draft.attributes.get("data")
        errors = [*personal(data, "data"), *control(data, "data")]
        if draft.kind.topic is REGISTRY:
            errors += days(data, "data")
        try:
            whole = envelope(draft.kind).model_validate_json(
                value, extra="forbid", by_alias=True, by_name=False
            )
        except ValidationError as error:
            raise Rejected([*_flaws(error), *errors]) from None
        _refuse([*errors, *self._late(whole.data, now), *_matching(whole.subject, whole.data)])
        route = draft.kind.route(whole.subject, whole.data)
        return self._decoded(Record(draft.kind.topic, route, whole.subject.encode(), value))

    def _decoded(self, record: Record) -> tuple[Event, Record]:
        topic, value = record.topic, record.value or b""
        if (size := len(record.key) + len(value)) > MAX_RECORD:
            raise TooLarge(size, MAX_RECORD)
        count = self._log.partitions(topic)
        found = decoder(topic, topic.partition(record.route, count), count)(value)
        if not isinstance(found, Event):
            raise Invalid(found.field, found.rule, found.detail)
        return found, record

    def _late(self, data: object, now: datetime) -> Iterator[Invalid]:
        for name in ("occurred_at", "complete_to"):
            time = getattr(data, name, None)
            if time is not None:
                yield from future(time, f"data.{name}", now, self._ahead)


def _encoded(draft: Draft) -> bytes:
    try:
        return encode(draft.attributes)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Invalid("", "json", f"this cannot be written as JSON: {error}") from None


def _flaws(error: ValidationError) -> list[Invalid]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        Invalid(".".join(str(part)[:80] for part in e["loc"]), e["type"], e["msg"][:300])
        for e in found
    ]


def _refuse(errors: "list[Invalid] | Iterator[Invalid]") -> None:
    if found := list(errors):
        raise Rejected(found)


def _matching(subject: str, data: object) -> Iterator[Invalid]:
    if isinstance(data, Node | HeartbeatSent) and data.node_id != subject:
        yield Invalid("data.node_id", "subject", f"this is about {subject}, the subject")


def _places(registry: Registry, event: Event) -> Iterator[Invalid]:
    """Find nodes that are not there, and circles."""
    if isinstance(event.data, Node):
        for node, field in parents(event.data).items():
            yield from unknown(registry, node, field)
    else:
        yield from unknown(registry, event.data.node_id, "data.node_id")
    yield from circle(registry, event.subject, event.data)


def _unregistered(registry: Registry, event: Event) -> list[str]:
    if isinstance(event.data, Node | Enterprise | Resource):
        return []
    named = (getattr(event.data, "enterprise_id", None), *getattr(event.data, "enterprises", ()))
    return [e for e in dict.fromkeys(named) if e and e not in registry.enterprises]
