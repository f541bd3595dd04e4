"""The log: `connect` opens it, `port` says what it promises."""

from contextlib import AbstractAsyncContextManager

from bus.port import (
    Batch,
    Bus,
    Lease,
    Listener,
    Partition,
    Position,
    Record,
    Start,
    Stored,
    Subscription,
)
from schemas.errors import Unusable

__all__ = [
    "Batch",
    "Bus",
    "Lease",
    "Listener",
    "Partition",
    "Position",
    "Record",
    "Start",
    "Stored",
    "Subscription",
    "connect",
]


def connect(url: str, *, partitions: int | None = None) -> AbstractAsyncContextManager[Bus]:
    """Open the log at `url`; `partitions`, when given, must be what it was made with.

    Each implementation is imported when it is asked for: the embedded log needs no Kafka client.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and len(rest) > 1 and rest.startswith("/"):
        from bus import sqlite  # noqa: PLC0415

        return sqlite.connect(rest[1:], partitions)
    if scheme == "kafka" and rest:
        from bus import kafka  # noqa: PLC0415

        return kafka.connect(rest, partitions)
    raise Unusable(
        f"{url!r} names no log: use sqlite:///PATH (sqlite:////PATH when absolute) "
        "or kafka://HOST:PORT,HOST:PORT"
    )
