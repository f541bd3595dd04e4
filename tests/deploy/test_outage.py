"""A broker that dies and comes back: everything waits, says so in a few lines, and goes on."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy import kafka
from deploy.kafka.record import Cluster
from tests.deploy.test_up import serve
from tests.system import web
from tests.system.process import Process, processes, until, yizhan

SERVICES = ("intake", "matching", "stats", "screens")
AWAY = 40.0
"""Seconds that the broker is away at least; without restraint a service says thousands of lines."""
LINES = 20


@contextmanager
def started(data: Path) -> Iterator[Cluster]:
    """Run a Kafka with Yizhan's topics."""
    cluster = asyncio.run(kafka.up(data))
    try:
        assert yizhan("topics", "create", "--bus", cluster.address).returncode == 0
        yield cluster
    finally:
        asyncio.run(kafka.down(data))


def kill(cluster: Cluster) -> None:
    """Kill the broker with -9."""
    (node,) = cluster.nodes
    assert node.pid is not None
    os.kill(node.pid, signal.SIGKILL)


def missing(service: Process) -> str:
    """Return what a service says is missing; nothing when it is ready."""
    assert web.get(f"{service.url}/livez", timeout=10).status_code == 200
    return ", ".join(web.get(f"{service.url}/readyz", timeout=10).json()["missing"].values())


def said(service: Process) -> list[dict[str, Any]]:
    """Return the lines of a service's log; whatever is no JSON is a traceback, or a greeting."""
    lines = [line for line in service.said().splitlines() if "Yizhan is ready" not in line]
    return [json.loads(line) for line in lines if line.startswith("{")]


def told(running: Mapping[str, Process]) -> dict[str, int]:
    return {name: one.lines() for name, one in running.items()}


@pytest.mark.timeout(600)
def test_a_broker_that_was_away_is_waited_for_in_few_words_and_everything_goes_on(
    tmp_path: Path, kafka_jars: Path
) -> None:
    assert kafka_jars.is_dir()
    with started(tmp_path / "kafka") as cluster:
        data, bus = tmp_path / "data", cluster.address
        issued = yizhan("keys", "issue", "--role", "admin", "--data", str(data))
        running = {name: Process(data, name, bus=bus) for name in SERVICES}
        late = Process(tmp_path / "late", "keep", "screens", bus=bus)
        with processes(*running.values()):
            before = told(running)
            kill(cluster)
            began = time.monotonic()
            late.start()
            try:
                for service in running.values():
                    until(lambda s=service: "does not answer" in missing(s))  # type: ignore[misc]
                until(lambda: "no Kafka answers" in late.said(), late.said)
                until(lambda: time.monotonic() > began + AWAY)
                assert all("does not answer" in missing(service) for service in running.values())
                asyncio.run(kafka.up(tmp_path / "kafka"))
                for service in running.values():
                    until(lambda s=service: missing(s) == "", service.said)  # type: ignore[misc]
                back = time.monotonic() - began
                late.until_ready()
            finally:
                assert late.end() == 0
            serve(running["intake"], running["screens"], issued.stdout.strip())
            lines = {name: count - before[name] for name, count in told(running).items()}
            print(f"away {back:.0f} s in all; lines of log: {lines}")
            for name, service in running.items():
                assert 0 < lines[name] <= LINES, service.said()
                assert "Traceback" not in service.said()
                assert any(line["event"] == "the log answers again" for line in said(service))
