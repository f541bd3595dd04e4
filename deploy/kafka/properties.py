"""server.properties, rendered: the same function for one node and for three."""

from pathlib import Path
from typing import Literal

from deploy.kafka.record import Cluster, Node


def render(cluster: Cluster, node: Node, log: Path) -> str:
    """Give the text of one node's server.properties; it keeps its records in `log`.

    The voters are static also for one node: then nothing on disk remembers a controller port,
    and a port that somebody else took meanwhile can be replaced at the next start.
    """
    copies = len(cluster.nodes)
    durable = 2 if copies > 1 else 1
    voters = ",".join(f"{n.id}@127.0.0.1:{n.controller_port}" for n in cluster.nodes)
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "listeners": _listed(
            BROKER=node.port, CONTROLLER=node.controller_port, **_door(node, "port")
        ),
        "advertised.listeners": _listed(BROKER=node.port, **_door(node, "told")),
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": voters,
        "log.dirs": log,
        # `yizhan topics create` makes topics; a typing error must not.
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": durable,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": durable,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": durable,
        # The positions of an owner that had nothing to do for a week must not be forgotten.
        "offsets.retention.minutes": 2147483647,
        # A group has its members within a second of each other or not at all.
        "group.initial.rebalance.delay.ms": 0,
        # What a killed producer left open holds up read_committed readers until it is aborted.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _listed(**ports: int) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _door(node: Node, side: Literal["port", "told"]) -> dict[str, int]:
    return {"DOOR": getattr(node.door, side)} if node.door else {}
