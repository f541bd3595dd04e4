"""The pulse: which nodes are heard, how far they are complete, how much waits at the edge."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from schemas.reports import HeartbeatSent


class Beat(NamedTuple):
    """A node's last heartbeat; `seen` is when the log took it, in milliseconds since 1970."""

    complete_to: datetime
    waiting: int
    seen: int


class Health(NamedTuple):
    """Of several nodes: the earliest of how far the audible ones are complete, and who is not.

    `complete_to` is None when all are silent; `waiting` is what they said last, silent or not.
    """

    complete_to: datetime | None
    silent: list[str]
    waiting: int


class Pulse:
    """The last heartbeat of every node; a node is silent `silent_after` seconds later."""

    def __init__(self, silent_after: float) -> None:
        self._patience = int(silent_after * 1000)
        self._beats: dict[str, Beat] = {}

    def hear(self, beat: HeartbeatSent, seen: int) -> None:
        """Take a heartbeat; the newest in the log stands."""
        self._beats[beat.node_id] = Beat(beat.complete_to, beat.waiting, seen)

    def beat(self, node: str) -> Beat | None:
        """Return a node's last heartbeat; None: never heard."""
        return self._beats.get(node)

    def silent(self, node: str, now: int) -> bool:
        """Whether a node has not been heard lately (`now` in milliseconds since 1970)."""
        beat = self._beats.get(node)
        return beat is None or now - beat.seen >= self._patience

    def audible(self, now: int) -> frozenset[str]:
        """Return all nodes that are heard."""
        return frozenset(node for node in self._beats if not self.silent(node, now))

    def health(self, nodes: Iterable[str], expected: Iterable[str], now: int) -> Health:
        """Return the health of `nodes`; of these, the `expected` ones are missed when silent."""
        beats = [(n, beat) for n in nodes if (beat := self._beats.get(n)) is not None]
        heard = [beat.complete_to for node, beat in beats if not self.silent(node, now)]
        return Health(
            min(heard, default=None),
            [node for node in expected if self.silent(node, now)],
            sum(beat.waiting for _, beat in beats),
        )
