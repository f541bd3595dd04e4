"""The topics of the log, as typed values declared once.

No other module writes a topic's name. What a topic is routed by is told by whoever publishes:
`Record.route`; the partition is crc32(route) mod N, N being fixed when the log is made. A route
that is a number is the partition itself, for reports on a partition.
"""

from dataclasses import dataclass
from enum import Enum
from zlib import crc32

MAX_RECORD = 1_000_000
"""The largest key + value in bytes that any topic takes."""


class Kept(Enum):
    """How long a topic's records stay."""

    FOREVER = "for ever"
    COMPACTED = "the last of each key"
    COMPACTED_WEEK = "the last of each key, a week"
    YEAR = "a year"

    @property
    def compacted(self) -> bool:
        """Whether an older record gives way to a newer one of the same key."""
        return self in (Kept.COMPACTED, Kept.COMPACTED_WEEK)

    @property
    def days(self) -> int | None:
        """After how many days records go; None: never."""
        return {Kept.COMPACTED_WEEK: 7, Kept.YEAR: 365}.get(self)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its name, whether it is spread over N partitions or has one, how long it is kept."""

    name: str
    kept: Kept
    spread: bool = True

    def partition(self, route: str | int, partitions: int) -> int:
        """Return the partition that `route` belongs to in a log of `partitions` partitions."""
        if isinstance(route, int):
            return route
        return crc32(route.encode()) % partitions if self.spread else 0


REGISTRY = Topic("yizhan.registry", Kept.FOREVER, spread=False)
REQUESTS = Topic("yizhan.requests", Kept.FOREVER)
ASSIGNMENTS = Topic("yizhan.assignments", Kept.FOREVER)
REFERRALS = Topic("yizhan.referrals", Kept.FOREVER)
RESULTS = Topic("yizhan.results", Kept.FOREVER)
HEARTBEATS = Topic("yizhan.heartbeats", Kept.COMPACTED_WEEK)
COUNTERS = Topic("yizhan.counters", Kept.COMPACTED)
DEAD_LETTERS = Topic("yizhan.dead-letters", Kept.YEAR)

TOPICS = (REGISTRY, REQUESTS, ASSIGNMENTS, REFERRALS, RESULTS, HEARTBEATS, COUNTERS, DEAD_LETTERS)
COUNTED = (RESULTS, ASSIGNMENTS)
"""What counters are made of."""


_NAMED = {topic.name: topic for topic in TOPICS}


def named(name: str) -> Topic:
    """Return the topic called `name`; KeyError when there is none."""
    return _NAMED[name]
