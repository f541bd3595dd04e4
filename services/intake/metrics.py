"""What intake tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.errors import YizhanError

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """Counters of one intake, in the registry that was passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "yizhan_intake_events", "Events written to the log.", ["type"], registry=registry
        )
        self.refused = Counter(
            "yizhan_intake_refused", "Events and posts refused.", ["rule"], registry=registry
        )
        self.publish = Histogram(
            "yizhan_intake_publish_seconds",
            "How long the log took to have a post's events durably.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.inside = Gauge("yizhan_intake_posts", "Posts being worked on.", registry=registry)
        self.registry = Gauge(
            "yizhan_intake_registry_position", "How far the registry is read.", registry=registry
        )

    def refuse(self, error: YizhanError) -> None:
        """Count a refusal by its rule."""
        self.refused.labels(getattr(error, "rule", type(error).__name__.lower())).inc()
