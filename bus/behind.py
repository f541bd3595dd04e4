"""Whether what the log held at one look is read by the next."""

from collections.abc import Callable, Mapping

from bus.port import Partition

Ends = Mapping[Partition, int]
"""Where partitions end."""
At = Callable[[Partition], int]
"""Returns how far a partition is read."""


class Behind:
    """How far some partitions should be read by now."""

    def __init__(self) -> None:
        self._due: Ends = {}
        self._seen: Ends = {}

    def begin(self, ends: Ends) -> None:
        """Note where they end when reading begins: all that is due at once."""
        self._due = self._seen = ends

    def look(self, ends: Ends) -> None:
        """Note where they end now; what they held at the look before is due."""
        self._due, self._seen = self._seen, ends

    def late(self, at: At) -> dict[Partition, int]:
        """Return how far those should be read that are not; {} when all are."""
        return {place: end for place, end in sorted(self._due.items()) if at(place) < end}

    def records(self, at: At) -> int:
        """Return how many records there were at the last look that are not read yet."""
        return sum(max(0, end - at(place)) for place, end in self._seen.items())
