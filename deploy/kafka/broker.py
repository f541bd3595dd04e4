"""One node: its folder, its process."""

import asyncio
from pathlib import Path

import msgspec

from deploy.kafka import java
from deploy.kafka.properties import render
from deploy.kafka.record import Cluster, Node
from schemas.errors import Unusable


def home(data: Path, node: Node) -> Path:
    """Give the folder of one node. Its path in a command line is what tells our process."""
    return data / f"node-{node.id}"


def alive(data: Path, node: Node) -> bool:
    """Tell whether this node's process is there."""
    return node.pid is not None and java.runs(node.pid, f"{home(data, node)}/")


async def prepare(data: Path, cluster: Cluster, node: Node) -> None:
    """Write the node's server.properties and, the first time, format its log folder."""
    place = home(data, node)
    place.mkdir(exist_ok=True)
    properties = place / "server.properties"
    properties.write_text(render(cluster, node, place / "log"))
    if (place / "log" / "meta.properties").exists():
        return
    arguments = ("format", "-t", cluster.id, "-c", str(properties))
    process = await asyncio.create_subprocess_exec(
        *java.command("kafka.tools.StorageTool", *arguments, log=place / "kafka.log"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise Unusable(f"Kafka cannot prepare {place}: {last(said.decode(errors='replace'))}")


def start(data: Path, node: Node) -> Node:
    """Start the node's process unless it is there."""
    if alive(data, node):
        return node
    place = home(data, node)
    command = java.command("kafka.Kafka", str(place / "server.properties"), log=place / "kafka.log")
    return msgspec.structs.replace(node, pid=java.spawn(command, place / "console.log"))


def check(data: Path, node: Node) -> None:
    """Raise what the node said last if it has ended."""
    if not alive(data, node):
        place = home(data, node)
        said = [place / "console.log", place / "kafka.log"]
        text = "".join(file.read_text(errors="replace") for file in said if file.exists())
        raise Unusable(f"Kafka ended at its start, see {place}: {last(text)}")


async def stop(data: Path, node: Node) -> Node:
    """End the node's process."""
    if node.pid is not None:
        await java.end(node.pid, f"{home(data, node)}/")
    return msgspec.structs.replace(node, pid=None)


def last(text: str) -> str:
    """Give the last line that says something; stack frames do not."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("\t")]
    return lines[-1].strip() if lines else "it said nothing."
