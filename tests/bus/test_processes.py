"""One log file and several processes: real ones, some of them killed."""

import asyncio
import os
import re
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bus import sqlite
from bus.port import Partition
from schemas.errors import Fenced
from schemas.topics import Kept, Topic
from tests.bus.reading import assigned, drain, poll_on, read, records, values

ROOT = Path(__file__).parents[2]
TOPIC = Topic("shared", Kept.FOREVER)
ENDLESS = 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "log.db")


@asynccontextmanager
async def child(*arguments: object, before: tuple[str, ...] = ()) -> AsyncIterator[Process]:
    """Run the other process; what is left of it at the end is killed."""
    command = (*before, sys.executable, "-m", "tests.bus.child", *map(str, arguments))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process, word: str) -> None:
    assert process.stdout is not None
    assert (await process.stdout.readline()).decode().startswith(word)


async def ended(process: Process) -> list[str]:
    """Wait for its end; return all that it said."""
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().splitlines()


async def test_two_processes_write_one_log_and_neither_loses_or_mixes_anything(path: str) -> None:
    writing = [("publish", path, "shared", name, 300) for name in "ab"]
    async with child(*writing[0]) as a, child(*writing[1]) as b:
        await asyncio.gather(ended(a), ended(b))
    async with sqlite.connect(path) as bus:
        stored = await read(bus, TOPIC)
    assert [record.offset for record in stored] == list(range(600))
    for name in "ab":
        mine = [value for value in values(stored) if value.startswith(name)]
        assert mine == [f"{name}.{i}" for i in range(300)]


async def test_a_reader_is_woken_by_another_process(path: str) -> None:
    async with sqlite.connect(path) as bus, assigned(bus, TOPIC) as subscription:
        waiting = asyncio.create_task(subscription.poll(60))
        async with child("publish", path, "shared", "a", 1) as process:
            (batch,) = await waiting
            await ended(process)
    assert values(batch.records) == ["a.0"]


async def test_append_time_never_goes_backwards_between_processes(path: str) -> None:
    ahead = 4_000_000_000.0
    async with sqlite.connect(path, clock=lambda: ahead) as bus:
        await bus.publish(records(TOPIC, ["from the future"]))
        async with child("publish", path, "shared", "a", 1) as process:
            await ended(process)
        times = [stored.timestamp for stored in await read(bus, TOPIC)]
    assert times == [4_000_000_000_000] * 2


async def test_a_member_in_another_process_takes_the_group_over(path: str) -> None:
    async with sqlite.connect(path) as bus, assigned(bus, TOPIC, "g") as subscription:
        await bus.publish(records(TOPIC, range(3)))
        (batch,) = await drain(bus, subscription)
        async with child("join", path, "shared", "g") as process:
            with pytest.raises(Fenced):
                await poll_on(subscription)
            assert await ended(process) == ["joined"]
    assert not batch.lease.alive
    assert subscription.assignment == frozenset()


async def test_an_owner_claimed_by_another_process_is_lost(path: str) -> None:
    async with sqlite.connect(path) as bus:
        await bus.claim("judge")
        async with child("claim", path, "judge") as process:
            assert await ended(process) == ["claimed"]
        with pytest.raises(Fenced):
            await bus.advance("judge", {}, records(TOPIC, ["zombie"]))
        assert await read(bus, TOPIC) == []


async def test_what_was_acknowledged_outlives_kill_9(path: str) -> None:
    async with child("publish", path, "shared", "a", ENDLESS) as process:
        for i in range(200):
            await said(process, f"acknowledged {i}\n")
        process.kill()
        rest, _ = await process.communicate()
    acknowledged = 200 + rest.count(b"\n")
    async with sqlite.connect(path) as bus:
        stored = values(await read(bus, TOPIC))
    assert stored == [f"a.{i}" for i in range(len(stored))]
    assert acknowledged <= len(stored) <= acknowledged + 1


@pytest.fixture
def strace() -> str:
    """The tracer of system calls, which must be there when YIZHAN_REQUIRE names it."""
    found = shutil.which("strace")
    if found is None:
        sentence = "There is no strace on the PATH, so nobody can see whether the disk was asked."
        required = "strace" in os.environ.get("YIZHAN_REQUIRE", "").split()
        (pytest.fail if required else pytest.skip)(sentence)
    assert found is not None
    return found


_CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")


def early(trace: str) -> tuple[list[int], list[int]]:
    """Return which records were acknowledged, and which of them before they were on disk.

    A record is on disk when the log's file was written and, after that, synchronised to its end.
    """
    acknowledged: list[int] = []
    too_early: list[int] = []
    written = synced = False
    for line in trace.splitlines():
        call = _CALL.match(line)
        match call and call[1]:
            case "pwrite64" if "-wal>" in line:
                written, synced = True, False
            case "fsync" | "fdatasync" if line.endswith("= 0"):
                synced = written
            case "write" if said := re.search(r'"acknowledged (\d+)', line):
                acknowledged.append(int(said[1]))
                if not synced:
                    too_early.append(int(said[1]))
                written = synced = False
            case _:
                pass
    return acknowledged, too_early


async def traced(strace: str, path: str, *synchronous: str) -> tuple[list[int], list[int]]:
    trace = Path(path).with_suffix(".trace")
    calls = "trace=pwrite64,fsync,fdatasync,write"
    before = (strace, "-f", "-y", "-qq", "-e", calls, "-e", "signal=none", "-o", str(trace))
    async with child("publish", path, "shared", "a", 20, *synchronous, before=before) as process:
        await ended(process)
    return early(trace.read_text())


async def test_a_record_is_on_disk_before_it_is_acknowledged(strace: str, path: str) -> None:
    assert await traced(strace, path) == (list(range(20)), [])


async def test_the_trace_would_show_an_acknowledgement_that_came_too_early(
    strace: str, path: str
) -> None:
    """The control: with synchronous=OFF the same trace finds every record at fault."""
    assert await traced(strace, path, "OFF") == (list(range(20)), list(range(20)))


async def test_asking_for_the_end_does_not_keep_the_news_from_a_waiting_reader(path: str) -> None:
    async with sqlite.connect(path) as here, sqlite.connect(path) as there:
        await here.create([TOPIC])
        async with assigned(here, TOPIC) as subscription:
            waiting = asyncio.create_task(subscription.poll(60))
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            assert not done
            await there.publish(records(TOPIC, ["news"]))
            await here.highwater(Partition(TOPIC.name, 0))
            assert await asyncio.wait_for(waiting, 10)
