"""Whose turn it is: long work in pieces, and between two pieces everything else that waits."""

import asyncio


class Rounds:
    """Lets one piece of work go ahead in each round of the event loop, first come, first served.

    Without it every batch would judge a piece in every round, so that whoever else comes, also to
    be told that there is no room, would wait for a piece of each.
    """

    def __init__(self) -> None:
        self._going = asyncio.Lock()

    async def next(self) -> None:
        """Wait for a round of one's own."""
        async with self._going:
            await asyncio.sleep(0)
