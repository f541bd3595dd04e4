"""Events as stations send them, dated by the virtual clock, and reading what was written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import Any

from bus.port import Record
from schemas import codec
from schemas.codec import Event, Flaw, encode
from schemas.days import SHANGHAI
from schemas.pools import owner
from schemas.types import PREFIX
from tests.simulation.log import EPOCH

BEGIN = datetime.fromtimestamp(EPOCH, SHANGHAI)
read = lru_cache(50_000)(codec.decode)
"""Decode for the checks; what one of them has read, the others need not."""


@contextmanager
def validated_once() -> Iterator[None]:
    """Validate each record once in a run, though a dozen processes read it.

    What comes of it is a matter of its bytes alone, and nobody changes it, so nobody could tell.
    """
    seen, validate = dict[bytes, Event | Flaw](), codec._event

    def once(value: bytes, tree: object) -> Event | Flaw:
        if (found := seen.get(value)) is None:
            found = seen[value] = validate(value, tree)
        return found

    codec._event = once
    try:
        yield
    finally:
        codec._event = validate
        read.cache_clear()


def stated(kind: str, subject: str, /, at: datetime = BEGIN, **data: Any) -> dict[str, Any]:
    """Return an event of a pool's own about `subject`."""
    common = {"revision": 1, "node_id": owner(subject), "occurred_at": at.isoformat()}
    return {
        "specversion": "1.0",
        "id": f"{kind[:20]}-{subject}"[-64:],
        "source": "/nodes/simulated",
        "type": PREFIX + kind,
        "subject": subject,
        "time": at.isoformat(),
        "data": common | {"actor_role": "staff", "actor_ref": "s-1"} | data,
    }


def record(kind: str, subject: str, /, **data: Any) -> Record:
    """Return an event as a record where it belongs."""
    value = encode(stated(kind, subject, **data))
    event = usable(value)
    return Record(event.kind.topic, event.kind.route(subject, event.data), subject.encode(), value)


def usable(value: bytes | None) -> Event:
    """Read an event that must be one."""
    event = read(value)
    assert not isinstance(event, Flaw), event
    return event


def shuffled(dice: Random, records: list[Record]) -> list[Record]:
    """Return records in another order."""
    return dice.sample(records, len(records))
