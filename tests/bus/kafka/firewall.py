"""A firewall before a broker that forgets connections without a word to either side."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy import kafka as deployed


class Firewall:
    """Passes on what belongs to a connection that it knows, and drops the rest."""

    def __init__(self, there: int) -> None:
        self._there, self._era = there, 0

    def forget(self) -> None:
        """Know none of the connections there are; new ones pass."""
        self._era += 1

    async def connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        there, away = await asyncio.open_connection("127.0.0.1", self._there)
        era = self._era
        await asyncio.gather(self._pass(reader, away, era), self._pass(there, writer, era))

    async def _pass(self, reader: StreamReader, writer: StreamWriter, era: int) -> None:
        while piece := await reader.read(1 << 16):
            if era == self._era:
                writer.write(piece)
        writer.close()


@asynccontextmanager
async def walled(data: Path) -> AsyncIterator[tuple[str, Firewall]]:
    """Run a broker behind a firewall; yield the address that leads through it."""
    front = socket.create_server(("127.0.0.1", 0))
    cluster = await deployed.up(data, told=[front.getsockname()[1]])
    (node,) = cluster.nodes
    assert node.door is not None
    wall = Firewall(node.door.port)
    try:
        async with await asyncio.start_server(wall.connected, sock=front):
            yield cluster.outside, wall
    finally:
        await deployed.down(data)
