"""`yizhan up` and its services alone, as real processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bus.keys import Keys, Role
from deploy.folder import first_key
from tests.system import web
from tests.system.people import STATED, register
from tests.system.process import YIZHAN, Process, processes, until, yizhan

SERVICE = {
    "id": "yinhu.svc-1",
    "revision": 1,
    "node_id": "yinhu",
    "enterprise_id": "ent-1",
    "elements": ["STD"],
    "mode": "diagnosis",
    **STATED,
}


def administrator(data: Path) -> str:
    return (data / "admin.key").read_text().strip()


def serve(intake: Process, screens: Process, key: str) -> None:
    """Post one service and wait until it is counted."""
    register(intake.url, key, "yinhu")
    headers = {"Authorization": f"Bearer {key}"}
    posted = web.post(f"{intake.url}/v1/services", json=SERVICE, headers=headers)
    assert posted.status_code == 202, posted.text
    query = {"node": "yinhu", "after": posted.headers["Yizhan-Position"], "wait": "30"}
    shown = web.get(f"{screens.url}/v1/counters", params=query, timeout=60)
    assert shown.json()["measures"]["services_delivered"]["value"] == 1


def run(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(YIZHAN), *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **env}
    )


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """One sentence on stderr, and nothing else."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_a_posted_fact_is_counted_and_a_signal_ends_it_though_somebody_follows(
    tmp_path: Path,
) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        serve(hub, hub, administrator(hub.data))
        live = web.stream("GET", f"{hub.url}/v1/live", params={"node": "yinhu"}, timeout=30)
        with live as followed:
            lines = followed.iter_lines()
            assert "snapshot" in next(lines)
            assert hub.end() == 0
            assert not any("error" in line for line in lines)  # the stream ended as streams should
    assert "Traceback" not in hub.said()


def test_nothing_is_written_where_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        serve(hub, hub, administrator(hub.data))
    assert not list(elsewhere.iterdir())


def test_state_metrics_schema_and_the_wall_are_on_one_port(tmp_path: Path) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub), httpx.Client(base_url=hub.url) as client:
        assert client.get("/livez").json() == {"status": "alive"}
        assert client.get("/readyz").json() == {"status": "ready", "missing": {}}
        assert {"/v1/events", "/v1/counters", "/readyz"} <= client.get("/openapi.json").json()[
            "paths"
        ].keys()
        assert client.get("/").status_code == 200
        metrics = client.get("/metrics").text
        assert 'route="/livez"' in metrics
        assert "yizhan_intake_events" in metrics


def test_the_first_administrators_key_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    hub = Process(tmp_path / "data", "up")
    keys = []
    for _ in range(2):
        with processes(hub):
            keys.append(administrator(hub.data))
            assert hub.end() == 0
    assert keys[0] == keys[1]
    assert (hub.data / "admin.key").stat().st_mode & 0o777 == 0o600


def test_a_first_start_cut_off_before_its_key_was_written_is_made_good_by_the_next(
    tmp_path: Path,
) -> None:
    with Keys.open(tmp_path / "keys.db") as keys:
        assert first_key(tmp_path, keys) is not None
        (tmp_path / "admin.key").write_text("")
        place = first_key(tmp_path, keys)
        assert place is not None
        assert keys.check(place.read_text().strip()).role is Role.ADMIN
        place.unlink()
        assert first_key(tmp_path, keys) is None


def test_a_second_hub_on_one_folder_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        refused(run("up", "--port", 0, "--data", hub.data), 1, "in use", str(hub.process.pid))
        assert web.get(f"{hub.url}/readyz").status_code == 200
        hub.kill()
        hub.start()  # a lock that outlives a crash would keep it out
        hub.until_ready()


def test_a_port_that_somebody_has_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(run("up", "--port", port, "--data", tmp_path), 1, str(port), "in use")
    assert not (tmp_path / "admin.key").exists()


def test_a_host_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    refused(run("up", "--port", 0, "--data", tmp_path, "--host", "a" * 100), 1, "a" * 100)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    for data in (tmp_path / "data", tmp_path / "data" / "below"):
        refused(run("up", "--port", 0, "--data", data), 1, str(data), "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever may write everywhere cannot be kept out")
def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refused(run("up", "--port", 0, "--data", tmp_path), 1, str(tmp_path), "denied")


@pytest.mark.parametrize(
    ("bus", "code", "word"),
    [
        ("kafka://host:port", 1, "no Kafka answers at host:port"),
        ("carrier://pigeon", 1, "carrier://pigeon"),
    ],
)
def test_a_log_that_is_not_there_is_refused(tmp_path: Path, bus: str, code: int, word: str) -> None:
    refused(run("up", "--port", 0, "--data", tmp_path, YIZHAN_BUS=bus), code, word)


def test_another_number_of_partitions_than_the_log_was_made_with_is_refused(
    tmp_path: Path,
) -> None:
    assert run("topics", "create", "--data", tmp_path, "--partitions", 3).returncode == 0
    refused(run("up", "--port", 0, "--data", tmp_path, YIZHAN_PARTITIONS="5"), 1, "3", "5")


def test_a_setting_that_makes_no_sense_is_refused_by_its_name(tmp_path: Path) -> None:
    wrong = run("up", "--port", 0, "--data", tmp_path, YIZHAN_FLUSH_EVERY="often")
    refused(wrong, 2, "YIZHAN_FLUSH_EVERY", "often")


@pytest.mark.parametrize("words", [["upp"], ["up", "now"], ["up", "--port", "many"]])
def test_what_is_typed_wrong_is_told_without_a_traceback(words: list[str]) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("service", ["intake", "stats", "screens"])
def test_one_service_alone_needs_a_log_that_is_shared(tmp_path: Path, service: str) -> None:
    refused(run(service, "--port", 0, "--data", tmp_path), 2, "YIZHAN_BUS")


@pytest.mark.parametrize("command", ["up", "stats", "demo"])
def test_help_lists_the_settings_with_their_defaults(command: str) -> None:
    text = run(command, "--help", COLUMNS="200").stdout
    assert "YIZHAN_FLUSH_EVERY" in text
    assert "seconds between two publications" in text
    assert "YIZHAN_BUS" in text


def test_services_in_processes_of_their_own_work_together_on_one_file(tmp_path: Path) -> None:
    data, bus = tmp_path / "data", f"sqlite:///{tmp_path / 'log.db'}"
    intake, stats, screens = (
        Process(data, name, bus=bus) for name in ("intake", "stats", "screens")
    )
    key = yizhan("keys", "issue", "--role", "admin", "--data", str(data)).stdout.strip()
    with processes(intake, stats, screens):
        serve(intake, screens, key)
        assert [one.end() for one in (intake, stats, screens)] == [0, 0, 0]


def test_a_thread_that_is_at_work_does_not_hold_up_the_end() -> None:
    script = """
import asyncio, threading
from deploy import process

async def main(stop):
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    def work():
        loop.call_soon_threadsafe(begun.set)
        threading.Event().wait()
    task = asyncio.ensure_future(asyncio.to_thread(work))
    await begun.wait()
    print("at work", flush=True)
    await stop.wait()
    task.cancel()

process.run(main)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "at work\n"
        running.terminate()
        assert running.wait(20) == 0


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("OSError(5, 'the disk is gone')", 1, "the disk is gone\n"),
        ("Misuse('not so')", 2, "not so\n"),
        ("RuntimeError('a fault')", 1, "RuntimeError: a fault"),
    ],
)
def test_a_thread_that_is_at_work_does_not_hold_up_a_failure(
    error: str, code: int, said: str
) -> None:
    script = f"""
import asyncio, sys, threading
from deploy import cli, logs, process
from deploy.errors import Misuse

async def main(stop):
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    def work():
        loop.call_soon_threadsafe(begun.set)
        threading.Event().wait()
    asyncio.ensure_future(asyncio.to_thread(work))
    await begun.wait()
    raise {error}

logs.set_up()
cli.app.command("fail")(lambda: process.run(main))
sys.argv = ["yizhan", "fail"]
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_part_that_fails_ends_its_process_with_one_clear_line(tmp_path: Path) -> None:
    bus = f"sqlite:///{tmp_path / 'log.db'}"
    first, second = (Process(tmp_path / name, "stats", bus=bus) for name in ("one", "two"))
    with processes(first):
        second.start()  # takes the group over: the first one's share is lost
        until(lambda: first.process.poll() is not None, first.said)
        second.until_ready()
        assert second.end() == 0
    assert first.process.returncode == 1
    assert "another process" in first.said().splitlines()[-1]
    assert "Traceback" not in first.said()
