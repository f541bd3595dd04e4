"""What has changed since somebody looked last."""

import asyncio
from collections.abc import Iterable


class Touched:
    """The nodes of which something changed; `everything` when that is not worth telling.

    Documents of all that lie above them today may differ as well: whoever looks adds those.
    """

    def __init__(self) -> None:
        self._nodes: set[str] = set()
        self._everything = False
        self._any = asyncio.Event()

    def add(self, nodes: Iterable[str]) -> None:
        """Say that something of some nodes changed."""
        self._nodes.update(nodes)
        if self._nodes:
            self._any.set()

    def all(self) -> None:
        """Say that every document may differ."""
        self._everything = True
        self._any.set()

    def take(self) -> frozenset[str] | None:
        """Return the nodes touched since the last call; None for everything."""
        nodes = None if self._everything else frozenset(self._nodes)
        self._nodes, self._everything = set(), False
        self._any.clear()
        return nodes

    async def wait(self, within: float) -> None:
        """Wait until something is touched, at most so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._any.wait()
        except TimeoutError:
            pass
