"""Telling what was read and lost on the way to the fold from what only waits for its turn.

What is read waits in a queue, first in, first out. A partition that was read further than it is
folded has lost something only when all that may have waited before it is through. To read it anew
any earlier would throw away what waits: under load nothing of it would ever be folded.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bus.port import Partition


class Dropped:
    """Watches the way of batches from the reader to the fold; at most `most` are on it."""

    def __init__(self, most: int) -> None:
        self._most, self._through, self._folding = most, 0, False
        self._noticed: dict[Partition, tuple[int, int, int]] = {}

    @contextmanager
    def folding(self) -> Iterator[None]:
        """Note that a batch is being folded, and then through."""
        self._folding = True
        try:
            yield
        finally:
            self._folding = False
            self._through += 1

    def lost(self, source: Partition, folded: int, read: int | None) -> bool:
        """Whether what was read beyond `folded` will never come; to be asked now and then."""
        noticed = self._noticed.pop(source, None)
        if read is None or read <= folded:
            return False
        since = self._through
        if noticed is not None and noticed[0] == folded:
            _, since, looked = noticed
            if self._past(since, looked):
                return True
        self._noticed[source] = folded, since, self._through
        return False

    def _past(self, since: int, looked: int) -> bool:
        """Whether all is through that was on its way at `since`: so many were, or none is left.

        None is left when none came through since it was `looked` last, and none is being folded.
        """
        idle = self._through == looked and not self._folding
        return idle or self._through - since > self._most
