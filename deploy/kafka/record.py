"""What is known about the Kafka in a data folder: DATA/kafka.json.

It outlives the brokers, so that the next start finds the same cluster under the same address.
"""

import os
from pathlib import Path
from typing import Self

import msgspec


class Door(msgspec.Struct, frozen=True):
    """A second way in: the broker listens at `port` and tells its clients to come to `told`.

    There something of the caller's passes them on: an address translation, or a test's bad link.
    """

    told: int
    port: int = 0


class Node(msgspec.Struct, frozen=True):
    """One broker that is a controller as well."""

    id: int
    port: int
    controller_port: int
    pid: int | None = None
    door: Door | None = None


class Cluster(msgspec.Struct, frozen=True):
    """All nodes of one data folder."""

    id: str
    nodes: tuple[Node, ...]

    @property
    def bootstrap(self) -> str:
        """The brokers as a Kafka client wants them."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def outside(self) -> str:
        """The same for clients that come by the doors."""
        return ",".join(f"127.0.0.1:{node.door.told}" for node in self.nodes if node.door)

    @property
    def address(self) -> str:
        """The brokers as a value for YIZHAN_BUS."""
        return f"kafka://{self.bootstrap}"

    def having(self, node: Node) -> Self:
        """Give the same cluster with this state of one of its nodes."""
        nodes = tuple(node if one.id == node.id else one for one in self.nodes)
        return msgspec.structs.replace(self, nodes=nodes)

    @classmethod
    def load(cls, data: Path) -> Self | None:
        """Read DATA/kafka.json; None when there never was a Kafka here."""
        try:
            return msgspec.json.decode((data / "kafka.json").read_bytes(), type=cls)
        except FileNotFoundError:
            return None

    def save(self, data: Path) -> None:
        """Write DATA/kafka.json in one step, readable only by its owner."""
        draft = data / "kafka.json.new"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
        draft.replace(data / "kafka.json")
