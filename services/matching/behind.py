"""Whether what the log held at one look is decided by the next."""

from collections.abc import Mapping

from bus.port import Partition

Ends = Mapping[Partition, int]
"""Where partitions end, or how far they are decided."""


class Behind:
    """How far the inputs of a partition should be decided by now."""

    def __init__(self) -> None:
        self._due: Ends = {}
        self._seen: Ends = {}

    def begin(self, ends: Ends) -> None:
        """Note where the inputs end when the partition comes: all that is due at once."""
        self._due = self._seen = ends

    def look(self, ends: Ends) -> None:
        """Note where the inputs end now; what they held at the look before is due."""
        self._due, self._seen = self._seen, ends

    def late(self, decided: Ends) -> str | None:
        """Return which inputs are not decided as far as they should be; None: all are."""
        late = [place for place, end in self._due.items() if decided.get(place, 0) < end]
        places = ", ".join(f"{topic}/{number}" for topic, number in sorted(late))
        return f"catching up on {places}" if late else None
