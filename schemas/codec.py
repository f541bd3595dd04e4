"""The one codec: bytes to event or flaw, and back. It never raises on what it reads.

The canonical encoding is JSON in UTF-8 with sorted keys and no spaces. Reading accepts any valid
JSON; what is canonical already needs no second look, since no text with a repeated key, NaN or
Infinity is its own canonical encoding.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from pydantic import BaseModel, ValidationError

from schemas.envelope import Envelope, envelope
from schemas.topics import MAX_RECORD, Topic
from schemas.types import TARGETS, TYPES, VOID, EventType

_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(order="deterministic").encode


class Event(NamedTuple):
    """A usable event. `content` is the hash of its type and canonical data, in hex.

    `slot` is the type part of the slot it speaks about: its own type, or what a void voids.
    """

    kind: EventType
    slot: str
    subject: str
    data: Any
    content: str
    envelope: Envelope


class Flaw(NamedTuple):
    """Why bytes are no event: the rule, the field it is about ("" for the whole), in words."""

    rule: str
    field: str
    detail: str


Decode = Callable[[bytes | None], Event | Flaw]


def encode(attributes: Mapping[str, Any]) -> bytes:
    """Return the canonical encoding of an event's attributes."""
    return _write(attributes)


def decode(value: bytes | None) -> Event | Flaw:
    """Read an event, or say what is wrong with it."""
    if value is None:
        return Flaw("null", "", "the record has no value")
    if len(value) > MAX_RECORD:
        return Flaw("size", "", f"larger than {MAX_RECORD} bytes")
    try:
        tree = _read(value)
        if _write(tree) != value:
            tree = json.loads(value, object_pairs_hook=_unique, parse_constant=_no_constant)
    except _Refused as refused:
        return refused.flaw
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        return Flaw("json", "", f"not valid JSON: {str(error)[:200]}")
    return _event(value, tree)


def decoder(topic: Topic, partition: int, partitions: int, read: Decode = decode) -> Decode:
    """Return the decoder for one partition: it also refuses what does not belong there."""

    def check(value: bytes | None) -> Event | Flaw:
        event = read(value)
        if isinstance(event, Flaw):
            return event
        if event.kind.topic is not topic:
            return Flaw("topic", "type", f"{event.kind.name} does not belong on {topic.name}")
        if topic.partition(event.kind.route(event.subject, event.data), partitions) != partition:
            return Flaw("route", "subject", f"{event.subject} does not belong to this partition")
        return event

    return check


def content(kind: str, data: Mapping[str, Any]) -> str:
    """Return the content hash of a type and its data: 16 hex digits."""
    return blake2b(_write(data), digest_size=8, key=kind.encode()[:64]).hexdigest()


def _event(value: bytes, tree: object) -> Event | Flaw:
    if not isinstance(tree, dict):
        return Flaw("object", "", "an event is a JSON object")
    kind = TYPES.get(name) if isinstance(name := tree.get("type"), str) else None
    if kind is None:
        return Flaw("type", "type", f"unknown type {str(name)[:80]!r}")
    try:
        whole = envelope(kind).model_validate_json(value, by_alias=True, by_name=False)
    except ValidationError as error:
        return flaw(error)
    except RecursionError:
        return Flaw("json", "", "nested too deeply")
    data: BaseModel = whole.data
    slot = kind.slot
    if kind.name == VOID:
        slot = whole.data.target_type
        if slot not in TARGETS:
            return Flaw("target_type", "data.target_type", f"{slot[:80]} cannot be voided")
    return Event(kind, slot, whole.subject, data, content(kind.name, tree["data"]), whole)


def flaw(error: ValidationError) -> Flaw:
    """Return the first thing that a validation found, as a flaw."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    rule = "json" if first["type"] == "json_invalid" else first["type"]
    return Flaw(rule, ".".join(str(part)[:80] for part in first["loc"]), first["msg"][:300])


class _Refused(Exception):  # carries a flaw out of the parser's callbacks
    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _Refused(Flaw("duplicate_key", twice[:80], "the same key stands twice"))
    return found


def _no_constant(name: str) -> Any:  # noqa: ANN401  # it never returns
    raise _Refused(Flaw("json", "", f"{name} is no JSON value"))
