"""The envelope: a CloudEvents 1.0 event in structured JSON mode, one model for each type."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from schemas.decisions import Advanced
from schemas.fields import Frozen, Id, Ref, Subject, Time
from schemas.supply import Agency, Equipment, Expert
from schemas.topics import ASSIGNMENTS, HEARTBEATS, REFERRALS, REGISTRY, REQUESTS
from schemas.types import EventType

CONTENT_TYPE = "application/cloudevents+json"
EventId = Annotated[str, Field(min_length=1, max_length=64)]
Reference = Annotated[str, Field(min_length=1, max_length=256)]


class Envelope(Frozen):
    """The attributes of an event around its data (CloudEvents 1.0 §3, and our extensions)."""

    specversion: Literal["1.0"]
    id: EventId
    source: Reference
    type: str
    subject: str
    time: Time
    datacontenttype: Literal["application/json"] | None = None
    dataschema: Reference | None = None
    recordedtime: Time | None = None
    sequence: Ref | None = None
    correlationid: EventId | None = None
    causationid: EventId | None = None
    dataclassification: Literal["public", "internal", "confidential", "restricted"] | None = None
    traceparent: Annotated[str, Field(max_length=64)] | None = None
    data: Any


@cache
def envelope(kind: EventType) -> type[Envelope]:
    """Return the model of a whole event of this type."""
    return create_model(
        kind.model.__name__ + "Event",
        __base__=Envelope,
        __doc__=kind.model.__doc__,
        type=(_exactly(kind.name), ...),
        subject=(_subject(kind), ...),
        data=(kind.model, ...),
    )


def _exactly(name: str) -> Any:  # noqa: ANN401  # an annotation, made at run time
    return Literal[name]


def _subject(kind: EventType) -> Any:  # noqa: ANN401  # likewise
    if kind.is_fact or kind.topic in (REQUESTS, REFERRALS) or kind.model in _RESOURCES:
        return Subject
    if kind.topic is ASSIGNMENTS:
        return Reference if kind.model is Advanced else Subject
    return Id if kind.topic in (REGISTRY, HEARTBEATS) else Reference


_RESOURCES = (Expert, Agency, Equipment)
