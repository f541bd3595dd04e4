"""A bounded number of guests at a time: more are told at once to come back."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.problems import Refusal


class Gate:
    """Lets `limit` through at a time, and what is larger by itself when nobody else is inside.

    `what` says what those inside are and do.
    """

    def __init__(self, limit: int, what: str = "posts are being worked on") -> None:
        self._limit, self._what = limit, what
        self.inside = 0

    def check(self, size: int = 1) -> None:
        """Raise Refusal (503, retriable) when there is no room for so many."""
        if self.inside and self.inside + size > self._limit:
            raise Refusal(503, "busy", f"{self.inside} {self._what}: come back soon")

    @contextmanager
    def entered(self, size: int = 1) -> Iterator[None]:
        """Be inside meanwhile; raises Refusal (503, retriable) when there is no room."""
        self.check(size)
        self.inside += size
        try:
            yield
        finally:
            self.inside -= size
