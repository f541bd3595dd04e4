"""What changed when: a version that rises with each change, and waiting for the next one."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from services.screens.patience import Patience

Key = tuple[str, str]
"""What a change concerns: ("node", id), ("enterprise", id) or ("resource", id)."""

ALL: Key = ("node", "")
"""What every change concerns."""


class Stir:
    """Versions begin at `first`: later than any that an earlier process can have told."""

    def __init__(self, first: int) -> None:
        self._first = self.version = first
        self._at: dict[Key, int] = {}
        self._next: asyncio.Future[None] | None = None
        self._ended = False

    def stir(self, keys: Iterable[Key]) -> None:
        """Say that something of these changed."""
        changed = set(keys)
        if changed:
            self.version += 1
            self._at.update(dict.fromkeys(changed | {ALL}, self.version))
            self._wake()

    def end(self) -> None:
        """Let nobody wait any more."""
        self._ended = True
        self._wake()

    async def changed(
        self, since: int, keys: Callable[[], Iterable[Key]], patience: Patience
    ) -> None:
        """Wait until something of these may have changed after a version, or patience ends.

        A version that this process has not told says nothing: then there is no wait.
        """
        if not self._first <= since <= self.version or self._over(since, keys):
            return
        with suppress(TimeoutError):
            async with patience.waiting():
                while not self._over(since, keys):
                    if self._next is None:
                        self._next = asyncio.get_running_loop().create_future()
                    await asyncio.shield(self._next)

    def _over(self, since: int, keys: Callable[[], Iterable[Key]]) -> bool:
        return self._ended or any(self._at.get(key, 0) > since for key in keys())

    def _wake(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None
