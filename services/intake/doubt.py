"""Where the last write failed: a partition may take nothing while all others do."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bus.port import Bus, Partition, Position, Record
from schemas.errors import LogError

LASTS = timedelta(seconds=5)
"""How long a failed write makes intake say that it is not ready, unless one succeeds there."""


class Doubt:
    """The failed writes of late, by partition: a success elsewhere says nothing about them."""

    def __init__(self, log: Bus, clock: Callable[[], datetime]) -> None:
        self._log, self._clock = log, clock
        self._failed: dict[Partition, tuple[datetime, LogError]] = {}

    def failed(self, records: Iterable[Record], error: LogError) -> None:
        """Note that a write failed; which of its partitions did not take it, nobody tells."""
        now = self._clock()
        self._failed |= dict.fromkeys({self._place(one) for one in records}, (now, error))

    def written(self, positions: Iterable[Position]) -> None:
        """Note what was written."""
        for topic, number, _ in positions:
            self._failed.pop(Partition(topic, number), None)

    def told(self) -> str | None:
        """Return what failed last, and where; None: nothing of late."""
        now = self._clock()
        self._failed = {p: f for p, f in self._failed.items() if now - f[0] < LASTS}
        if not self._failed:
            return None
        _, error = max(self._failed.values(), key=lambda failure: failure[0])
        return f"{error} ({', '.join(f'{p.topic}/{p.number}' for p in sorted(self._failed))})"

    def _place(self, record: Record) -> Partition:
        topic = record.topic
        return Partition(topic.name, topic.partition(record.route, self._log.partitions(topic)))
