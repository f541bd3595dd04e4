"""What a request asks for: positions, times, and whose key it shows."""

from datetime import datetime

from fastapi import Request

from bus.keys import Keys, Principal, bearer
from bus.port import Position
from schemas.errors import Invalid
from schemas.fields import EARLIEST, LATEST
from schemas.topics import TOPICS


def position(text: str) -> Position:
    """Read "topic:partition:offset"; raises Invalid naming the field `after`."""
    topic, _, rest = text.partition(":")
    partition, _, offset = rest.partition(":")
    known = topic in {t.name for t in TOPICS}
    if not known or not _number(partition) or not _number(offset):
        raise Invalid("after", "form", f"{text[:100]!r} is no position TOPIC:PARTITION:OFFSET")
    return Position(topic, int(partition), int(offset))


def moment(text: str) -> int:
    """Read an RFC 3339 time as milliseconds since 1970; raises Invalid naming `as_of`."""
    try:
        # In an address that was not encoded, the plus of an offset has become a space.
        time = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or "T" not in text:
        raise Invalid("as_of", "form", f"{text[:100]!r} is no time like 2026-11-21T10:00:00+08:00")
    if not EARLIEST <= time < LATEST:
        raise Invalid("as_of", "range", f"{text[:100]!r} is not in the years 2000 to 2099")
    return int(time.timestamp() * 1000)


def holder(keys: Keys, request: Request) -> Principal:
    """Return whose key a request shows; raises Unauthenticated."""
    return keys.check(bearer(request.headers.get("authorization", "")))


def visitor(keys: Keys, request: Request) -> Principal | None:
    """Return whose key a request shows, None when it shows none; raises Unauthenticated.

    Other schemes are no keys: a proxy may ask for its own before walls can be seen.
    """
    shown = request.headers.get("authorization", "").lower().startswith("bearer")
    return holder(keys, request) if shown else None


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16
