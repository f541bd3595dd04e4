"""Where the brokers are, how long they may take, and what their failures are called here."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka.conn import collect_hosts
from aiokafka.errors import KafkaError

from bus.kafka.bound import Bound
from schemas.errors import Unavailable, Unusable

PAUSE = 0.1
"""Seconds between two attempts to reach a broker."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The address of a Kafka, as every client of it is told.

    `servers` is "host:port,host:port"; `timeout` is how many seconds one answer may take.
    """

    servers: str
    timeout: float = 10.0

    @property
    def options(self) -> dict[str, Any]:
        """What all of aiokafka's clients take."""
        return {
            "bootstrap_servers": self.servers,
            "request_timeout_ms": int(self.timeout * 1000),
        }

    @asynccontextmanager
    async def within(self, task: str) -> AsyncIterator[None]:
        """Bound what aiokafka would try for ever; raise Unavailable for whatever goes wrong."""
        try:
            async with Bound(self.timeout):
                yield
        except TimeoutError as error:
            raise Unavailable(
                f"Kafka at {self.servers} could not {task} within {self.timeout:g} seconds"
            ) from error
        except KafkaError as error:
            raise Unavailable(f"Kafka at {self.servers} could not {task}: {error}") from error

    async def reached(self) -> None:
        """Wait until one of the brokers takes connections; Unusable when none does in time."""
        try:
            async with asyncio.timeout(self.timeout):
                while not await self._answers():  # noqa: ASYNC110 - nobody tells when a broker is up
                    await asyncio.sleep(PAUSE)
        except (TimeoutError, ValueError):
            raise self.unusable() from None

    def unusable(self) -> Unusable:
        """Return what to raise when no broker can be reached."""
        return Unusable(f"no Kafka answers at {self.servers}")

    async def _answers(self) -> bool:
        # Asked without aiokafka, which would log every refused connection as an error.
        for host, port, _ in collect_hosts(self.servers):
            with suppress(OSError):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                return True
        return False


def quiet() -> None:
    """Let aiokafka say only what is wrong, unless somebody has already decided otherwise."""
    logger = logging.getLogger("aiokafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)
