"""Three Kafka nodes of a test: killed, frozen and started again, one by one, by their pid."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from bus.port import Partition
from deploy import kafka
from deploy.kafka import Cluster, broker
from deploy.kafka.record import Node
from tests.faults.proxy import Links, linked
from tests.system.process import until

COPIES = 3


class Nodes:
    """A Kafka of three nodes; `links` lie before the doors that `outside` leads to."""

    def __init__(self, data: Path, links: Links) -> None:
        self.data, self.links = data, links

    @property
    def cluster(self) -> Cluster:
        """What is known of it now."""
        found = Cluster.load(self.data)
        assert found is not None
        return found

    @property
    def bus(self) -> str:
        """Its address, past all links."""
        return self.cluster.address

    @property
    def outside(self) -> str:
        """Its address through the links."""
        return f"kafka://{self.cluster.outside}"

    def start(self) -> None:
        """Start the nodes that are missing; return once a client sees all of them."""
        asyncio.run(kafka.up(self.data, COPIES))

    def kill(self, number: int) -> None:
        """Kill a node with -9."""
        node = self._node(number)
        self._signal(node, signal.SIGKILL)
        until(lambda: not broker.alive(self.data, node))

    def freeze(self, number: int) -> None:
        """Stop a node's process where it stands."""
        self._signal(self._node(number), signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """Let it go on."""
        self._signal(self._node(number), signal.SIGCONT)

    def leader(self, partition: Partition) -> int:
        """Return the number of the node that leads a partition now; -1: none."""
        return int(self._described(partition.topic)[partition.number]["leader"])

    def led(self, topic: str, number: int) -> list[int]:
        """Return the partitions of a topic that a node leads now."""
        return [p["partition"] for p in self._described(topic) if p["leader"] == number]

    def coordinator(self, name: str, *, transactions: bool = False) -> int:
        """Return the number of the node that coordinates a group, or an owner's transactions."""
        return asyncio.run(_coordinator(self.cluster.bootstrap, name, int(transactions)))

    def whole(self) -> None:
        """Wait until every partition has all its copies in sync."""
        until(lambda: all(len(p["isr"]) == COPIES for p in self._described()))

    def _described(self, *topics: str) -> list[dict[str, Any]]:
        found = asyncio.run(_topics(self.cluster.bootstrap, topics))
        return sorted(
            (p for topic in found for p in topic["partitions"]), key=lambda p: int(p["partition"])
        )

    def _node(self, number: int) -> Node:
        return next(node for node in self.cluster.nodes if node.id == number)

    def _signal(self, node: Node, number: signal.Signals) -> None:
        assert broker.alive(self.data, node)
        assert node.pid is not None
        os.kill(node.pid, number)


async def _topics(servers: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return list(await admin.describe_topics(list(names) or None))
    finally:
        await admin.close()


async def _coordinator(servers: str, name: str, kind: int) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return int(await admin.find_coordinator(name, kind))
    finally:
        await admin.close()


@contextmanager
def three(data: Path) -> Iterator[Nodes]:
    """Run three nodes whose doors lie behind links; in the end none is left."""
    with ExitStack() as stack:
        fronts = [socket.create_server(("127.0.0.1", 0)) for _ in range(COPIES)]
        links = stack.enter_context(linked(fronts))
        told = [front.getsockname()[1] for front in fronts]
        stack.callback(_down, data)
        cluster = asyncio.run(kafka.up(data, COPIES, told=told))
        links.lead([node.door.port for node in cluster.nodes if node.door])
        yield Nodes(data, links)


def _down(data: Path) -> None:
    cluster = Cluster.load(data)
    for node in cluster.nodes if cluster else ():
        if node.pid is not None and broker.alive(data, node):
            os.kill(node.pid, signal.SIGKILL)
            until(lambda node=node: not broker.alive(data, node))  # type: ignore[misc]
