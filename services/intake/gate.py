"""A bounded number of posts at a time: more are told at once to come back."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.problems import Refusal


class Gate:
    """Lets `limit` through at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.inside = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside meanwhile; raises Refusal (503, retriable) when it is full."""
        if self.inside >= self._limit:
            raise Refusal(503, "busy", f"{self.inside} posts are being worked on: come back soon")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
