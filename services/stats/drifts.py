"""Which counters are known to drift, so that the log says so once and not at every recount."""

import structlog

from bus.port import Partition
from services.stats.audit import Report

_log = structlog.get_logger(__name__)


class Drifts:
    """The wrong places of each source partition, by its last recount."""

    def __init__(self) -> None:
        self._wrong: dict[Partition, set[tuple[str, str]]] = {}

    def notice(self, report: Report) -> None:
        """Say when counters begin to drift, or do so at more places, and when they agree again."""
        source, now = report.source, set(report.wrong)
        before = self._wrong.get(source)
        if report.differences and (before is None or now - before):
            found = report.differences
            _log.error("counters drift", source=source, places=len(now), found=found)
            self._wrong[source] = now
        elif not report.differences and self._wrong.pop(source, None) is not None:
            _log.info("counters agree again", source=source)

    def gone(self, source: Partition) -> None:
        """Leave a partition to whoever holds it now."""
        self._wrong.pop(source, None)
