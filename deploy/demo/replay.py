"""The replay over HTTP, and how much of it a data folder has already."""

import json
from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from deploy.demo import history
from deploy.demo.event import Event
from deploy.demo.sender import Sender
from schemas.codec import encode

DONE = "demo.json"
Told = Callable[[str, int, int], None]
"""Hears what is being sent, how many are in, and how many there are."""


async def replay(sender: Sender, mark: "Mark", now: datetime, told: Told) -> None:
    """Send the registry, the history and the days up to now, unless they are in already.

    What is in is only skipped to save time: sent again, all of it would be repeats.
    """
    registry, facts = history.registry(), history.facts()
    digest = _digest([*registry, *facts])
    if not mark.has(digest):
        await _send(sender, "nodes and enterprises", registry, told)
        await _send(sender, "facts from 2023-01-01 to 2024-07-18", facts, told)
        mark.put(digest)
    await _send(sender, "facts of the last seven days", history.recent(now), told)


class Mark:
    """Which history a data folder's log has: DATA/demo.json."""

    def __init__(self, data: Path, log: str) -> None:
        self._place, self._log = data / DONE, log

    def has(self, digest: str) -> bool:
        """Whether this history is in this very log."""
        try:
            return bool(json.loads(self._place.read_text()) == self._stated(digest))
        except (FileNotFoundError, ValueError):
            return False

    def put(self, digest: str) -> None:
        """Note that it is in."""
        self._place.write_text(json.dumps(self._stated(digest)) + "\n")

    def _stated(self, digest: str) -> dict[str, str]:
        return {"log": self._log, "history": digest}


async def _send(sender: Sender, what: str, events: list[Event], told: Told) -> None:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        told(what, done, len(events))

    told(what, 0, len(events))
    # Nodes come before whatever hangs below them; the first batch has them all.
    nodes = [one for one in events if one["type"] == "yizhan.node.opened"]
    if nodes:
        await sender.post(nodes)
        more(len(nodes))
    await sender.post_all(events[len(nodes) :], more)


def _digest(events: list[Event]) -> str:
    found = blake2b(digest_size=16)
    for one in events:
        found.update(encode(one))
    return found.hexdigest()
