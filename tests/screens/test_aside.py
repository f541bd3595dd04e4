"""Questions about earlier times: few at once, few waiting, and nobody else waits for them."""

import asyncio
import threading
from pathlib import Path

import pytest

from bus.gate import Gate
from bus.port import Partition
from schemas.problems import Refusal
from services.screens.aside import aside
from services.screens.patience import Patience
from tests.screens.made import NOW, node, service, serving, until


async def test_what_finds_no_place_is_refused_at_once_and_places_come_back() -> None:
    free = threading.Event()
    async with aside(threads=2, waiting=4) as past:
        asked = [asyncio.ensure_future(past.run(free.wait, 60)) for _ in range(6)]
        await asyncio.wait(asked, timeout=0)
        with pytest.raises(Refusal) as refused:
            await past.run(free.wait, 60)
        assert (refused.value.status, refused.value.retriable) == (503, True)
        asked.pop().cancel()
        await asyncio.wait(asked, timeout=0)
        asked.append(asyncio.ensure_future(past.run(free.wait, 60)))
        await asyncio.wait(asked, timeout=0)
        free.set()
        assert await asyncio.gather(*asked) == [True] * 6
        assert await past.run(int, "7") == 7


async def test_long_work_ends_with_the_process_and_what_waits_never_begins() -> None:
    began = threading.Event()

    async with aside(threads=1, waiting=1) as past:

        def work() -> None:
            began.set()
            while True:
                past.go_on()

        running = asyncio.ensure_future(past.run(work))
        waiting = asyncio.ensure_future(past.run(began.clear))
        await until(began.is_set)
    for refused in (running, waiting):
        with pytest.raises(Refusal):
            await refused
    assert began.is_set()


async def test_long_work_ends_when_who_asked_has_left_and_other_work_goes_on() -> None:
    began, ended, free = threading.Event(), threading.Event(), threading.Event()

    async with aside(threads=2, waiting=0) as past:

        def work(told: threading.Event) -> bool:
            began.set()
            try:
                while not free.is_set():
                    past.go_on()
            finally:
                told.set()
            return True

        leaving = asyncio.ensure_future(past.run(work, ended))
        staying = asyncio.ensure_future(past.run(work, threading.Event()))
        await until(began.is_set)
        leaving.cancel()
        await until(ended.is_set)
        assert not staying.done()
        free.set()
        assert await staying


async def test_a_flood_of_as_of_is_told_to_come_back_and_holds_up_nobody(tmp_path: Path) -> None:
    free = threading.Event()
    async with serving(tmp_path, past_threads=1, past_waiting=1) as served:
        try:
            await served.publish(node("hub", None, kind="hub"), node("s-1"))
            await served.get("/v1/counters", as_of=NOW.isoformat())
            loop = asyncio.get_running_loop()
            # Every thread that others may use is taken as well: the index has its own.
            others = [loop.run_in_executor(None, free.wait, 60) for _ in range(64)]
            asked = [asyncio.ensure_future(served.screens.past.run(free.wait, 60)) for _ in "12"]
            await asyncio.wait(asked, timeout=0)
            answer = await served.http.get("/v1/counters", params={"as_of": NOW.isoformat()})
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["rule"] == "busy"
            await served.publish(service("s-1.a"))
            last = served.last[-1]
            patience = Patience.of(10, Gate(1))
            assert await served.screens.index.marks.passed(
                Partition(*last[:2]), last.offset, patience
            )
        finally:
            free.set()
        await asyncio.gather(*others, *asked)
        await served.get("/v1/counters", as_of=NOW.isoformat())
