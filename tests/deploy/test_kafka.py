"""`yizhan kafka`, as it is typed, and the Kafka that it starts."""

import asyncio
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka import Cluster, Node, broker, java
from deploy.kafka.properties import render

TOPIC = "t"


def yizhan(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("yizhan")), "kafka", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **env}, timeout=90
    )


async def put(address: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, address.count(",") + 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def first(address: str) -> bytes:
    async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
        consumer.assign([TopicPartition(TOPIC, 0)])
        await consumer.seek_to_beginning()
        record = await asyncio.wait_for(consumer.getone(), 10)
        return bytes(record.value)


@pytest.fixture
def data(kafka_jars: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder whose Kafka is taken down whatever happens."""
    assert kafka_jars.is_dir()
    yield tmp_path
    yizhan("down", "--data", tmp_path)


def pids(data: Path) -> list[int | None]:
    cluster = Cluster.load(data)
    assert cluster
    return [node.pid for node in cluster.nodes]


async def test_a_second_up_leaves_the_first_alone_down_ends_it_and_records_outlive_that(
    data: Path,
) -> None:
    up = yizhan("up", "--data", data)
    assert (up.returncode, up.stderr) == (0, "")
    address = up.stdout.strip()
    assert address.startswith("kafka://127.0.0.1:")
    value = uuid.uuid4().bytes
    await put(address.removeprefix("kafka://"), value)
    (pid,) = pids(data)
    assert pid
    second = yizhan("up", "--data", data)
    assert (second.returncode, second.stdout) == (0, up.stdout)
    assert "already" in second.stderr
    assert pids(data) == [pid]
    assert (data / "kafka.json").stat().st_mode & 0o777 == 0o600

    assert yizhan("down", "--data", data).returncode == 0
    assert pids(data) == [None]
    assert not java.runs(pid, "java")
    below = yizhan("down", "--data", data)
    assert (below.returncode, "was not running" in below.stderr) == (0, True)

    again = yizhan("up", "--data", data)
    assert again.stdout.strip() == address
    assert await first(address.removeprefix("kafka://")) == value


@pytest.mark.slow  # the controller waits until it has not heard of the old one for 9 seconds
def test_a_killed_broker_starts_again(data: Path) -> None:
    yizhan("up", "--data", data)
    (pid,) = pids(data)
    assert pid
    os.kill(pid, 9)
    assert yizhan("up", "--data", data).returncode == 0
    assert pids(data) != [pid]


def test_topics_are_never_made_by_a_typing_error(kafka: str) -> None:
    async def names() -> set[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.describe_topics(["mistyped"])
        names = set(await admin.list_topics())
        await admin.close()
        return names

    assert "mistyped" not in asyncio.run(names())


@pytest.mark.slow
async def test_three_nodes_take_records_together(data: Path) -> None:
    up = yizhan("up", "--nodes", 3, "--data", data)
    addresses = up.stdout.strip().removeprefix("kafka://")
    assert len(addresses.split(",")) == 3
    await put(addresses, b"x")
    assert await first(addresses) == b"x"
    fewer = yizhan("up", "--data", data)
    assert (fewer.returncode, fewer.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("nodes", [0, 2, 4])
def test_other_numbers_of_nodes_are_refused_in_one_sentence(tmp_path: Path, nodes: int) -> None:
    done = yizhan("up", "--nodes", nodes, "--data", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Kafka runs here with 1 node or with 3, not with {nodes}.\n"
    assert not list(tmp_path.iterdir())


def test_missing_jars_or_java_are_said_in_one_sentence(tmp_path: Path) -> None:
    no_jars = yizhan("up", "--data", tmp_path / "data", YIZHAN_KAFKA_HOME=str(tmp_path))
    no_java = yizhan("up", "--data", tmp_path / "data", PATH=str(tmp_path), JAVA_HOME="")
    for done, word in ((no_jars, "jars"), (no_java, "java")):
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert word in done.stderr.lower()
    assert not list(tmp_path.iterdir())


def test_a_port_that_somebody_has_is_refused_in_one_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = yizhan("up", "--data", data, "--port", port)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert str(port) in done.stderr


def test_down_where_no_kafka_ever_was_is_an_error(tmp_path: Path) -> None:
    done = yizhan("down", "--data", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


async def test_a_pid_that_is_somebody_elses_now_is_left_alone(tmp_path: Path) -> None:
    bystander = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=-1)
    mine = Node(1, 2, 3, pid=bystander.pid)
    assert not broker.alive(tmp_path, mine)
    await broker.stop(tmp_path, mine)
    assert bystander.returncode is None
    await bystander.communicate(b"\n")
    assert bystander.returncode == 0


def test_three_nodes_keep_every_record_on_three_and_wait_for_two(tmp_path: Path) -> None:
    cluster = Cluster("id", (Node(1, 11, 21), Node(2, 12, 22), Node(3, 13, 23)))
    text = render(cluster, cluster.nodes[1], tmp_path)
    settings = dict(line.split("=", 1) for line in text.splitlines())
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:21,2@127.0.0.1:22,3@127.0.0.1:23"
    assert settings["listeners"] == "BROKER://127.0.0.1:12,CONTROLLER://127.0.0.1:22"
    copies = {settings[name] for name in settings if name.endswith("replication.factor")}
    durable = {
        value for name, value in settings.items() if name.endswith((".isr", "sync.replicas"))
    }
    assert (copies, durable) == ({"3"}, {"2"})


def test_a_cluster_is_read_back_as_written(tmp_path: Path) -> None:
    cluster = Cluster("id", (Node(1, 2, 3, pid=4),))
    cluster.save(tmp_path)
    assert Cluster.load(tmp_path) == cluster
    assert msgspec.json.decode((tmp_path / "kafka.json").read_bytes())["nodes"][0]["pid"] == 4
