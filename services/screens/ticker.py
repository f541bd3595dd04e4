"""The ticker: what was stated last, without saying by whom or for which enterprise."""

from collections import deque
from collections.abc import Collection
from heapq import nlargest
from typing import Any, NamedTuple

SHOWN = 12
_RECENT = 500  # over all nodes: enough for any node that is not very quiet


class News(NamedTuple):
    """Something that now stands; `serial` orders it. `note` is "correction", "void" or None."""

    serial: tuple[int, int, int]
    at: str
    node: str
    type: str
    elements: tuple[str, ...]
    mode: str | None
    kind: str | None
    note: str | None

    def row(self, name: str) -> dict[str, Any]:
        """Return the row that a wall shows; `name` is the node's."""
        shown = self._asdict() | {"name": name, "elements": list(self.elements)}
        del shown["serial"]
        return {key: value for key, value in shown.items() if value is not None}


class Ticker:
    """The last news of every node, and of all together."""

    def __init__(self) -> None:
        self._recent: deque[News] = deque(maxlen=_RECENT)
        self._nodes: dict[str, deque[News]] = {}

    def tell(self, news: News) -> None:
        """Take the newest."""
        self._recent.append(news)
        self._nodes.setdefault(news.node, deque(maxlen=SHOWN)).append(news)

    def latest(self, nodes: Collection[str]) -> list[News]:
        """Return the last news of some nodes, the newest first."""
        found = [news for news in reversed(self._recent) if news.node in nodes][:SHOWN]
        if len(found) == SHOWN:
            return found
        known = (news for node in nodes for news in self._nodes.get(node, ()))
        return nlargest(SHOWN, known, key=lambda news: news.serial)
