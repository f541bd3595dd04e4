"""Whether a service answers, asked as anybody would: by HTTP."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

import httpx

EVERY = 2.0
"""Seconds between two questions, and the most that an answer may take."""
STARTING = 5
"""How many times longer than later a process may take for its first answer."""
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # what stands for every address


def url(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Return where a command will answer; None when the system is to choose its port."""
    given = ArgumentParser(add_help=False, allow_abbrev=False)
    given.add_argument("--port", nargs="?", default=environment.get("YIZHAN_PORT", "8000"))
    given.add_argument("--host", nargs="?", default=environment.get("YIZHAN_HOST", "127.0.0.1"))
    known, _ = given.parse_known_args(arguments)
    host = _LOCAL.get(known.host, known.host)
    shown = f"[{host}]" if ":" in str(host) else host
    return None if known.port == "0" else f"http://{shown}:{known.port}"


class Probe:
    """What a process answers that has just been started."""

    def __init__(self, place: str, clock: Callable[[], float] = monotonic) -> None:
        self._place, self._clock = place, clock
        self._asked = clock()
        self._answered = False
        self._silent = 0.0
        self._ready: float | None = None
        self.calm = 0.0
        """Its longest time of being ready, in seconds."""

    def stuck(self, patience: float) -> bool:
        """Whether it has answered nothing for so many seconds; a start may take longer."""
        return self._silent > (patience if self._answered else patience * STARTING)

    async def run(self) -> None:
        """Ask for ever; whatever it answers, it is alive."""
        async with httpx.AsyncClient(timeout=EVERY, trust_env=False) as client:
            while True:
                await asyncio.sleep(EVERY)
                await self.ask(client)

    async def ask(self, client: httpx.AsyncClient) -> None:
        """Ask once.

        A question without an answer counts for no more time than one may take, with its pause: the
        keeper itself may have been stopped meanwhile.
        """
        since = self._asked
        try:
            ready = (await client.get(f"{self._place}/readyz")).is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            self._asked, self._ready = self._clock(), None
            self._silent += min(self._asked - since, 2 * EVERY)
            return
        self._asked, self._answered, self._silent = self._clock(), True, 0.0
        if not ready:
            self._ready = None
        elif self._ready is None:
            self._ready = self._asked
        else:
            self.calm = max(self.calm, self._asked - self._ready)
