"""Starting and ending the Kafka of one data folder."""

import asyncio
import fcntl
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.errors import Misuse
from deploy.kafka import broker, java, ports
from deploy.kafka.record import Cluster, Door, Node
from schemas.errors import Unusable

PATIENCE = 60.0
"""Seconds until a Kafka that does not answer counts as failed."""


async def up(
    data: Path, nodes: int = 1, port: int | None = None, told: Sequence[int] = ()
) -> Cluster:
    """Start the Kafka in `data`, or make one; returns once a client sees every broker.

    The brokers outlive this process; `down` ends them. Those that run already are left alone.
    `port` is the first broker's; without it, the one it had, or a free one. `told` gives each
    broker of a new Kafka a door, see `Door`.
    """
    if nodes not in (1, 3):
        raise Misuse(f"Kafka runs here with 1 node or with 3, not with {nodes}.")
    java.ready()
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    async with locked(data):
        known = Cluster.load(data) or new(nodes, told)
        if len(known.nodes) != nodes:
            raise Misuse(f"The Kafka in {data} has {len(known.nodes)} nodes, not {nodes}.")
        missing = [node.id for node in known.nodes if not broker.alive(data, node)]
        if len(missing) == nodes:
            known = msgspec.structs.replace(known, nodes=ports.assigned(known.nodes, port))
        return await complete(data, known, missing) if missing else known


async def down(data: Path) -> bool:
    """End the Kafka in `data`, whose records stay; False when none was running."""
    data = data.resolve()
    if not (data / "kafka.json").exists():
        raise Unusable(f"There is no Kafka in {data}.")
    async with locked(data):
        cluster = Cluster.load(data)
        if cluster is None or not any(broker.alive(data, node) for node in cluster.nodes):
            return False
        await end(data, cluster, [node.id for node in cluster.nodes])
        return True


def running(data: Path) -> bool:
    """Tell whether every broker of the Kafka in `data` is there."""
    cluster = Cluster.load(data)
    return cluster is not None and all(broker.alive(data.resolve(), n) for n in cluster.nodes)


@asynccontextmanager
async def locked(data: Path) -> AsyncIterator[None]:
    """Keep a second `up` or `down` of the same folder waiting."""
    with (data / "kafka.lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield


def new(nodes: int, told: Sequence[int] = ()) -> Cluster:
    """Make up a cluster that has no ports yet."""
    # An id that starts with a dash would look like an option to the command that takes it.
    name = "Y" + urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
    doors: list[Door | None] = [Door(port) for port in told]
    made = (Node(n, 0, 0, door=door) for n, door in enumerate(doors or [None] * nodes, start=1))
    return Cluster(name, tuple(made))


async def complete(data: Path, cluster: Cluster, missing: list[int]) -> Cluster:
    """Start the missing brokers and wait for all; if that fails, the started ones end again."""
    cluster.save(data)
    nodes = [node for node in cluster.nodes if node.id in missing]
    try:
        await asyncio.gather(*(broker.prepare(data, cluster, node) for node in nodes))
        for node in nodes:
            cluster = cluster.having(broker.start(data, node))
            cluster.save(data)
        await answering(data, cluster)
    except BaseException:
        await end(data, cluster, missing)
        raise
    return cluster


async def end(data: Path, cluster: Cluster, ids: list[int]) -> None:
    """End some nodes and note that they are gone."""
    nodes = (node for node in cluster.nodes if node.id in ids)
    for node in await asyncio.gather(*(broker.stop(data, node) for node in nodes)):
        cluster = cluster.having(node)
    cluster.save(data)


async def answering(data: Path, cluster: Cluster) -> None:
    """Wait until a client sees every broker."""
    deadline = time.monotonic() + PATIENCE
    while await seen(cluster) < len(cluster.nodes):
        for node in cluster.nodes:
            broker.check(data, node)
        if time.monotonic() > deadline:
            raise Unusable(f"Kafka in {data} does not answer after {PATIENCE:.0f} seconds.")
        await asyncio.sleep(0.05)


async def seen(cluster: Cluster) -> int:
    """Ask how many brokers the cluster has; 0 while one of them does not answer."""
    for node in cluster.nodes:  # aiokafka would log every refused connection as an error
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", node.port)
        except OSError:
            return 0
        writer.close()
    client = AIOKafkaClient(bootstrap_servers=cluster.bootstrap, request_timeout_ms=5000)
    try:
        await client.bootstrap()
        return len(client.cluster.brokers())
    except KafkaError:
        return 0
    finally:
        await client.close()
