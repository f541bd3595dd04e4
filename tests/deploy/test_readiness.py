"""/readyz tells what is true, with its cause, and by itself tells again when all is well."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import kafka
from deploy.kafka.record import Cluster
from tests.deploy.test_outage import SERVICES, missing
from tests.deploy.test_up import SERVICE, serve
from tests.system import web
from tests.system.process import Process, processes, until, yizhan


@contextmanager
def three(data: Path) -> Iterator[Cluster]:
    """Run three brokers with Yizhan's topics on all of them."""
    cluster = asyncio.run(kafka.up(data, 3))
    try:
        made = yizhan("topics", "create", "--partitions", "2", "--bus", cluster.address)
        assert made.returncode == 0, made.stderr
        yield cluster
    finally:
        asyncio.run(kafka.down(data))


def post(intake: Process, key: str, name: str) -> int:
    """Post another service; return the status."""
    headers = {"Authorization": f"Bearer {key}"}
    fact = SERVICE | {"id": f"yinhu.{name}"}
    return web.post(f"{intake.url}/v1/services", json=fact, headers=headers, timeout=60).status_code


@pytest.mark.timeout(600)
def test_without_a_majority_of_brokers_who_writes_is_not_ready_and_takes_nothing(
    tmp_path: Path, kafka_jars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kafka_jars.is_dir()
    monkeypatch.setenv("YIZHAN_AUDIT_EVERY", "1")
    with three(tmp_path / "kafka") as cluster:
        data = tmp_path / "data"
        issued = yizhan("keys", "issue", "--role", "admin", "--data", str(data))
        key = issued.stdout.strip()
        running = {name: Process(data, name, bus=cluster.address) for name in SERVICES}
        with processes(*running.values()):
            serve(running["intake"], running["screens"], key)
            for node in cluster.nodes[1:]:
                assert node.pid is not None
                os.kill(node.pid, signal.SIGKILL)
            assert {post(running["intake"], key, f"lost-{n}") for n in range(2)} == {503}
            for name in ("intake", "stats"):
                until(lambda s=running[name]: missing(s) != "", running[name].said)  # type: ignore[misc]
            print({name: missing(service)[:160] for name, service in running.items()})
            assert "Kafka" in missing(running["stats"])
            asyncio.run(kafka.up(tmp_path / "kafka", 3))
            for service in running.values():
                until(lambda s=service: missing(s) == "", service.said)  # type: ignore[misc]
            assert post(running["intake"], key, "kept") == 202
