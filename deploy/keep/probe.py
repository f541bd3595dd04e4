"""Whether a service answers, asked as anybody would: by HTTP."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
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

    def __init__(self, place: str) -> None:
        self._place, self._began = place, monotonic()
        self._answered: float | None = None
        self._ready: float | None = None
        self.calm = 0.0
        """Its longest time of being ready, in seconds."""

    def stuck(self, patience: float) -> bool:
        """Whether it has answered nothing for so many seconds; a start may take longer."""
        if self._answered is None:
            return monotonic() - self._began > patience * STARTING
        return monotonic() - self._answered > patience

    async def run(self) -> None:
        """Ask for ever; whatever it answers, it is alive."""
        async with httpx.AsyncClient(timeout=EVERY, trust_env=False) as client:
            while True:
                await asyncio.sleep(EVERY)
                await self._ask(client)

    async def _ask(self, client: httpx.AsyncClient) -> None:
        try:
            ready = (await client.get(f"{self._place}/readyz")).is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            self._ready = None
            return
        self._answered = monotonic()
        if not ready:
            self._ready = None
        elif self._ready is None:
            self._ready = self._answered
        else:
            self.calm = max(self.calm, self._answered - self._ready)
