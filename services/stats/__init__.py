"""The streaming aggregator: a Faust app around a pure fold; it publishes the counters."""

from services.stats.app import running
from services.stats.settings import Settings

__all__ = ["Settings", "running"]
