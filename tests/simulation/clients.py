"""Those who post: again and again until it is acknowledged, and sometimes once more after that."""

import asyncio
from asyncio import get_running_loop
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from schemas.codec import encode
from tests.simulation.intake import Desk
from tests.simulation.log import Log

PATIENCE = 1.5
"""Virtual seconds after which somebody who hears nothing posts again."""


class Posted(NamedTuple):
    """A body, when it was posted first, and when somebody had its 202."""

    body: bytes
    began: float
    ended: float


@dataclass
class Clients:
    """`acknowledged` are the bodies that got their 202, `refused` those that never will."""

    log: Log
    desks: Sequence[Desk]
    dice: Random
    acknowledged: list[Posted] = field(default_factory=list)
    began: dict[bytes, float] = field(default_factory=dict)
    refused: list[tuple[int, bytes]] = field(default_factory=list)

    async def send(self, attributes: dict[str, Any]) -> int:
        """Post an event until somebody has answered for good; return the status."""
        body = encode(attributes)
        began = self.began.setdefault(body, get_running_loop().time())
        status = await self._answered(body)
        if status == 202:
            self.acknowledged.append(Posted(body, began, get_running_loop().time()))
        else:
            self.refused.append((status, body))
        while self.log.odds("again", 0.1):
            await self._answered(body)
        return status

    async def _answered(self, body: bytes) -> int:
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    status = await self.dice.choice(self.desks).post(body)
            except TimeoutError:
                self.log.happened["posts without an answer"] += 1
                continue
            if status != 503:
                return status
            self.log.happened["posts answered 503"] += 1
            await asyncio.sleep(self.dice.random() * 0.3)
