"""Connections to brokers, as aiokafka makes them for all of its clients."""

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka comes without types
    """A connection that says of itself that it is broken, whatever loop it lives in.

    Between the moment a broker closes it and the one in which its reader hears of that, asyncio
    takes a write and drops it; uvloop raises a RuntimeError, on which aiokafka's loops for
    metadata, fetches and heartbeats die: they go on after an error of Kafka's only.
    """

    def send(self, request: Any, expect_response: bool = True) -> Any:  # noqa: ANN401, FBT001, FBT002  # its base's
        """Send a request; raises KafkaConnectionError."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"connection to {self.host}:{self.port} broken") from error


def mend() -> None:
    """Let all clients made from now on use such connections: aiokafka takes none from outside."""
    conn.AIOKafkaConnection = Connection
