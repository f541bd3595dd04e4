"""`yizhan keep` starts again what fails, and nothing else."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.keep import child
from deploy.keep.command import FINAL
from deploy.keep.pace import CALM, FIRST, MOST, Pace
from deploy.keep.probe import Probe, url
from tests.system.process import YIZHAN, Process, free_port, processes, until, yizhan


def test_pauses_double_up_to_half_a_minute_and_begin_anew_after_a_calm_minute() -> None:
    pace = Pace(lambda: 1.0)
    assert [pace.pause(0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, MOST, MOST]
    assert [pace.pause(CALM), pace.pause(CALM - 1)] == [FIRST, 2 * FIRST]


def test_what_failed_together_does_not_start_together() -> None:
    assert [Pace(lambda c=c: c).pause(0) for c in (0.0, 0.5, 1.0)] == [0.375, 0.4375, 0.5]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "environment", "place"),
    [
        ([], {}, "http://127.0.0.1:8000"),
        (["--data", "d", "--port", "81"], {"YIZHAN_PORT": "82"}, "http://127.0.0.1:81"),
        (["--port=81", "--host=0.0.0.0"], {}, "http://127.0.0.1:81"),
        (["--host", "::1"], {"YIZHAN_PORT": "82"}, "http://[::1]:82"),
        (["--port", "0"], {}, None),
        (["--port"], {}, "http://127.0.0.1:None"),
    ],
)
def test_a_service_is_asked_where_it_was_told_to_listen(
    arguments: list[str], environment: dict[str, str], place: str | None
) -> None:
    assert url(arguments, environment) == place


async def run(code: str, place: str | None = None, patience: float = 0) -> child.Run:
    return await child.run([sys.executable, "-c", code], place, patience, asyncio.Event())


async def test_a_run_says_how_it_ended() -> None:
    ends = [
        await run("raise SystemExit(3)"),
        await run("import os; os.kill(os.getpid(), 9)"),
        await run("import time; time.sleep(600)", f"http://127.0.0.1:{free_port()}", 0.01),
    ]
    assert [(end.how, end.stuck) for end in ends] == [
        ("exit code 3", False), ("SIGKILL", False), ("answered no more", True)
    ]  # fmt: skip


async def test_what_cannot_be_started_is_a_run_that_failed(tmp_path: Path) -> None:
    end = await child.run([str(tmp_path / "none")], None, 0, asyncio.Event())
    assert (end.code, end.stuck, end.calm) == (126, False, 0)
    assert "No such file" in end.how
    assert end.code not in FINAL


class Asked:
    """A probe of a process that answers while it is `alive`, at a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now, self.alive = 0.0, True
        self.probe = Probe("http://here", lambda: self.now)
        self._client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, _: httpx.Request) -> httpx.Response:
        if not self.alive:
            raise httpx.ConnectTimeout("no answer")
        return httpx.Response(503)

    async def after(self, seconds: float) -> bool:
        """Ask so many seconds after the last time; return whether it is stuck for a minute."""
        self.now += seconds
        await self.probe.ask(self._client)
        return self.probe.stuck(60)


async def test_a_keeper_that_was_stopped_itself_takes_nobody_for_stuck() -> None:
    asked = Asked()
    assert not await asked.after(2)
    asked.alive = False  # busy, or its answer has come too late for the keeper
    assert [await asked.after(600), await asked.after(600)] == [False, False]


async def test_who_answers_nothing_for_a_minute_is_stuck_and_one_answer_begins_it_anew() -> None:
    asked = Asked()
    asked.alive = False
    assert [await asked.after(4) for _ in range(75)] == [False] * 75
    assert await asked.after(4)
    asked.alive = True
    assert not await asked.after(4)
    asked.alive = False
    assert [await asked.after(4) for _ in range(16)] == [False] * 15 + [True]


async def test_who_does_not_end_when_told_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "GRACE", 0.2)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    end = await run(deaf, f"http://127.0.0.1:{free_port()}", 0.1)
    assert (end.code, end.stuck) == (-9, True)


def holder(data: Path) -> int | None:
    """Return the process that holds the data folder."""
    with suppress(FileNotFoundError, ValueError):
        return int((data / "stats.lock").read_text())
    return None


def restarts(said: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "ended, starts again"]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.timeout(180)
def test_a_service_that_is_killed_or_hangs_is_started_again_and_ends_with_its_keeper(
    tmp_path: Path,
) -> None:
    kept = Process(tmp_path / "data", "keep", "--stuck-after", "10", "up")
    with processes(kept):
        first = holder(kept.data)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: holder(kept.data) not in (first, None), kept.said)
        told = restarts(kept.said())
        kept.until_ready()
        second = holder(kept.data)
        assert second is not None
        os.kill(second, signal.SIGSTOP)
        until(lambda: holder(kept.data) not in (second, None), kept.said)
        told += restarts(kept.said())[-1:]
        kept.until_ready()
        last = holder(kept.data)
        assert last is not None
        assert kept.end() == 0
        until(lambda: gone(last))
    assert [(line["how"], line["times"]) for line in told] == [
        ("SIGKILL", 1), ("answered no more", 2)
    ]  # fmt: skip


def test_what_always_fails_is_tried_again_and_its_code_is_told_in_the_end(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as file:
        kept = subprocess.Popen(
            [YIZHAN, "keep", "audit", "--data", tmp_path / "none"], stderr=file, stdout=file
        )
    try:
        until(lambda: len(restarts(said.read_text())) > 1, said.read_text)
        kept.terminate()
        assert kept.wait(20) == 1
    finally:
        kept.kill()
        kept.wait()
    lines = restarts(said.read_text())
    assert {line["how"] for line in lines} == {"exit code 1"}
    assert [line["times"] for line in lines[:2]] == [1, 2]


def test_what_is_done_or_misused_is_not_started_again(tmp_path: Path) -> None:
    done = yizhan("keep", "topics", "create", "--data", str(tmp_path))
    misused = yizhan("keep", "stats", "--port", "nonsense")
    itself = yizhan("keep", "keep", "up")
    codes = [one.returncode for one in (done, misused, itself)]
    assert codes == [0, 2, 2], misused.stderr
    assert "starts again" not in done.stderr + misused.stderr
    assert itself.stderr == "`yizhan keep` keeps other commands, not itself\n"
