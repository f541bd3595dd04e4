"""What stats tells Prometheus."""

import time
from collections import Counter as Tally
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bus.port import Partition

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LONG = (0.1, 1, 5, 15, 60, 300, 900, 3600)
_PLACE = ("topic", "partition")


class Metrics:
    """Counters of one worker, in the registry that was passed in.

    What is told of a partition goes when the partition does: another worker tells it then.
    """

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._audited: dict[Partition, float] = {}
        self.letters = Counter(
            "yizhan_dead_letters",
            "Records that could not be used, each written as a dead letter.",
            ["topic", "rule"],
            registry=registry,
        )
        self.open = Gauge(
            "yizhan_dead_letters_open",
            "Dead letters that nobody has replayed, repaired or dismissed; each worker tells all.",
            ["topic", "rule"],
            registry=registry,
        )
        self.drift = Gauge(
            "yizhan_drift",
            "Whether the last recount found other totals.",
            _PLACE,
            registry=registry,
        )
        audited = Gauge(
            "yizhan_audited_seconds",
            "When the partition that waits longest was recounted or came here, in Unix time.",
            registry=registry,
        )
        audited.set_function(lambda: min(self._audited.values(), default=float("nan")))
        self.records = Counter(
            "yizhan_stats_records", "Records folded.", ["topic"], registry=registry
        )
        self.lag = Gauge(
            "yizhan_stats_lag", "Records that are still to be folded.", _PLACE, registry=registry
        )
        self.flush = Histogram(
            "yizhan_stats_flush_seconds",
            "How long the log took to have a partition's changed rows durably.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.catch_up = Histogram(
            "yizhan_stats_catch_up_seconds",
            "From a partition's coming until its rows may be published: loading and replaying.",
            buckets=_LONG,
            registry=registry,
        )

    def taken(self, source: Partition) -> None:
        """Begin to tell about a partition that is counted."""
        self._audited[source] = self._clock()
        self.drift.labels(*source).set(0)

    def gone(self, source: Partition) -> None:
        """Leave a partition to whoever holds it now."""
        self._audited.pop(source, None)
        for gauge in (self.drift, self.lag):
            gauge.remove(*source)

    def audited(self, source: Partition, *, drift: bool) -> None:
        """Tell what a recount found."""
        self._audited[source] = self._clock()
        self.drift.labels(*source).set(drift)

    def dead(self, topic: str, rules: Tally[str]) -> None:
        """Count dead letters that are written."""
        for rule, count in rules.items():
            self.letters.labels(topic, rule).inc(count)
