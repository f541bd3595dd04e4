"""Readiness tells what is true now, not what was true at the start."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from schemas.topics import REGISTRY
from tests.screens.decided import submitted
from tests.screens.made import Served, beat, node, service, serving, until


async def stop(name: str) -> None:
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == name)
    task.cancel()
    await asyncio.wait([task])


async def settle(served: Served) -> None:
    await served.publish(node("hub", None, kind="hub"), node("s-1"))
    await until(lambda: served.screens.ready() == {})


async def test_counters_that_no_longer_follow_the_log_are_not_ready(tmp_path: Path) -> None:
    async with serving(tmp_path, lag_every=0.02) as served:
        await settle(served)
        await stop("screens-follow")
        await served.publish(node("s-2"))
        await until(served.screens.ready)
        assert served.screens.ready() == {
            "counters": f"behind the log for 0.02 seconds: {REGISTRY.name}:0 stands at 2 of 3"
        }


async def test_facts_that_no_longer_follow_the_log_are_not_ready(tmp_path: Path) -> None:
    async with serving(tmp_path, lag_every=0.02) as served:
        await settle(served)
        await stop("screens-index")
        await served.publish(service("s-1.a"))
        await until(served.screens.ready)
        assert list(served.screens.ready()) == ["facts"]


async def test_what_is_read_in_time_is_never_unready(tmp_path: Path) -> None:
    async with serving(tmp_path, lag_every=3600) as served:
        await settle(served)
        heard = await served.publish(*(beat("s-1") for _ in range(20)))
        assert served.screens.ready() == {}
        await served.get("/v1/counters", after=heard)


async def test_a_log_that_cannot_be_asked_is_told_until_it_answers_again(tmp_path: Path) -> None:
    async with serving(tmp_path, lag_every=0.02) as served:
        await settle(served)
        await stop("screens-follow")  # reading ends when its log is broken: only looking goes on
        await stop("screens-index")
        await stop("screens-requests")
        with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as db:
            db.execute("ALTER TABLE head RENAME TO away")
            await until(lambda: len(served.screens.ready()) == 3)
            for why in served.screens.ready().values():
                assert why.startswith("the log does not answer: ")
            db.execute("ALTER TABLE away RENAME TO head")
            await until(lambda: served.screens.ready() == {})


async def test_requests_that_no_longer_follow_the_log_are_not_ready(tmp_path: Path) -> None:
    async with serving(tmp_path, lag_every=0.02) as served:
        await settle(served)
        await stop("screens-requests")
        await served.publish(submitted("area.r"))
        await until(served.screens.ready)
        assert list(served.screens.ready()) == ["requests"]
