"""What matching says, as records of the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from uuid_utils import uuid7

from bus.port import Record
from schemas.codec import Flaw, decode, encode
from schemas.days import SHANGHAI
from schemas.decisions import Advanced
from schemas.referral import Referral
from schemas.types import TYPES
from services.matching.book import Said

ADVANCED = TYPES["yizhan.pool.advanced"]


class Step(NamedTuple):
    """What is written at once: decisions, their mark at the end, and all of them as records."""

    said: Sequence[Said]
    outputs: Sequence[Record]


class Unreadable(Exception):
    """A decision is such that nobody could read it: a fault of the judge's, and never written."""


def records(said: Sequence[Said], now: datetime) -> list[Record]:
    """Return the decisions of one step as they are written; raises Unreadable.

    What readers would pass over, the book that made it would hold: two who never agree again.
    """
    written = [record(one, now) for one in said]
    for one, (_, _, _, value) in zip(said, written, strict=True):
        if isinstance(flaw := decode(value), Flaw):
            where = f"{one.kind.name} about {one.subject}"
            raise Unreadable(f"{where}: {flaw.field}: {flaw.detail} [{flaw.rule}]")
    return written


def record(said: Said, now: datetime) -> Record:
    """Return a decision or a referral as it is written, whole: defaults may change, it may not."""
    kind, subject, data = said
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": _source(data),
        "type": kind.name,
        "subject": subject,
        "time": now.astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": data.model_dump(mode="json", by_alias=True),
    }
    return Record(kind.topic, kind.route(subject, data), subject.encode(), encode(event))


def advanced(partition: int, positions: dict[str, int], now: datetime) -> Said:
    """Return what says that everything up to `positions` is decided."""
    data = Advanced(partition=partition, positions=positions, now=now)
    return Said(ADVANCED, f"advanced/{partition}", data)


def _source(data: Any) -> str:  # noqa: ANN401  # any model of what matching says
    if isinstance(data, Advanced):
        return f"/matching/{data.partition}"
    return f"/pools/{data.from_pool if isinstance(data, Referral) else data.pool}"
