"""From what was sent to an event: the attributes that intake adds, and the subject if need be."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from re import fullmatch
from typing import Any, NamedTuple

import uuid_utils

from bus.keys import Principal
from schemas.days import SHANGHAI
from schemas.errors import Invalid, Rejected
from schemas.types import EventType

_NAMESPACE = uuid.UUID("94e9f3ed-37f9-5588-ba6f-4a930126f140")
_NOBODY = "x"


class Draft(NamedTuple):
    """An event to be judged. `given`: its data was the body, so errors name the fields there."""

    kind: EventType
    attributes: Mapping[str, Any]
    given: bool = False


def draft(kind: EventType, subject: object, data: Mapping[str, Any], now: datetime) -> Draft:
    """Put an envelope of our own around `data`."""
    attributes = {
        "specversion": "1.0",
        "id": str(uuid_utils.uuid7()),
        "source": f"/nodes/{origin(data)}",
        "type": kind.name,
        "subject": subject,
        "time": now.astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return Draft(kind, attributes, given=True)


def subject_of(prefix: str, principal: Principal, path: str, key: str | None) -> str:
    """Return the id of what has none of its own: the same for each retry of one post.

    `prefix` is the node or the pool that it names.
    """
    if key is None:
        raise Invalid(
            "id", "idempotency_key", "send an id of your own, or the header Idempotency-Key"
        )
    if not 1 <= len(key) <= 255:
        raise Invalid("", "idempotency_key", "Idempotency-Key has 1 to 255 characters")
    named = f"{principal.id}\n{path}\n{key}"
    return f"{prefix}.{uuid.uuid5(_NAMESPACE, named)}"


def relative(error: Invalid) -> Rejected:
    """Name the fields of a body that was the data itself, whose `id` is the subject."""
    return Rejected([Invalid(_shorter(e.field), e.rule, e.detail) for e in error.errors])


def _shorter(field: str) -> str:
    return "id" if field == "subject" else field.removeprefix("data").removeprefix(".")


def origin(data: Mapping[str, Any]) -> str:
    """Return the node of `data`; one that is none is refused later, and spoils no other field."""
    node = data.get("node_id")
    return node if isinstance(node, str) and fullmatch(r"[a-z0-9-]{1,64}", node) else _NOBODY
