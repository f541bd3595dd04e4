"""What matching tells Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counters of one matcher, in the registry that was passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.inputs = Counter(
            "yizhan_matching_inputs", "Asks and referrals heard.", ["type"], registry=registry
        )
        self.skipped = Counter(
            "yizhan_matching_skipped",
            "Records that cannot be used; stats writes their dead letters.",
            ["topic"],
            registry=registry,
        )
        self.decisions = Counter(
            "yizhan_matching_decisions", "What was decided.", ["type"], registry=registry
        )
        self.decide = Histogram(
            "yizhan_matching_decide_seconds",
            "How long deciding took, committing left out.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.commit = Histogram(
            "yizhan_matching_commit_seconds",
            "How long the log took to have decisions durably.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.takeover = Histogram(
            "yizhan_matching_takeover_seconds",
            "How long it took to read the decisions of a partition.",
            buckets=(*_SECONDS, 30, 60, 300),
            registry=registry,
        )
        self._open = Gauge(
            "yizhan_matching_open",
            "Assignments that live, and requests that nobody serves.",
            ["what"],
            registry=registry,
        )
        self._overdue = Gauge(
            "yizhan_matching_overdue_seconds",
            "For how long what the clock alone should do has waited: offers that expire, and such.",
            registry=registry,
        )
        self._lag = Gauge(
            "yizhan_matching_lag",
            "Asks and referrals that the log held when it was asked last and are not decided.",
            registry=registry,
        )

    def show(
        self,
        offers: Callable[[], int],
        unmatched: Callable[[], int],
        overdue: Callable[[], float],
        behind: Callable[[], int],
    ) -> None:
        """Ask these for what is open, and how late it is, whenever somebody looks."""
        self._overdue.set_function(overdue)
        self._lag.set_function(behind)
        self._open.labels("assignments").set_function(offers)
        self._open.labels("unmatched").set_function(unmatched)
