"""Drift: what the recounts of the log found against the counters."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from schemas.reports import CountersAudited

Answer = Literal["none", "found", "unknown"]
Source = tuple[str, int]


class Audit(NamedTuple):
    """The last recount of a source; `at` in milliseconds since 1970."""

    catalogue: int
    clean: bool
    at: int


class Drift:
    """The last audit of every source."""

    def __init__(self) -> None:
        self._audits: dict[Source, Audit] = {}

    def audited(self, report: CountersAudited, at: int) -> None:
        """Take a report; the newest in the log stands."""
        clean = not report.differences
        self._audits[report.topic, report.partition] = Audit(report.catalogue, clean, at)

    def answer(self, sources: Mapping[Source, tuple[int, int]]) -> tuple[Answer, int | None]:
        """Return whether counters of these sources drifted, and when the oldest audit was.

        An audit by another catalogue than the source has now says nothing about it.
        """
        found = {s: self._audits.get(s) for s in sources}
        valid = [a for s, a in found.items() if a and a.catalogue == sources[s][0]]
        oldest = min((audit.at for audit in valid), default=None)
        if any(not audit.clean for audit in valid):
            return "found", oldest
        return ("none" if valid and len(valid) == len(sources) else "unknown"), oldest
