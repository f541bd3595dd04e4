"""The loop of the simulation: a clock that is made up, and processes that can be stopped."""

import asyncio
from contextvars import copy_context
from random import Random

import pytest

from tests.simulation.loop import OWNER, Loop, Owner, Stuck


def loop() -> Loop:
    return Loop(Random(0))  # type: ignore[abstract]  # what is used is there


async def _note(notes: list[float], seconds: float) -> None:
    for _ in range(3):
        await asyncio.sleep(seconds)
        notes.append(asyncio.get_running_loop().time())


def _of(owner: Owner, notes: list[float]) -> asyncio.Task[None]:
    context = copy_context()
    context.run(OWNER.set, owner)
    running = asyncio.get_running_loop()
    return running.create_task(_note(notes, 1.0), context=context)


def test_a_day_of_sleep_takes_no_time() -> None:
    made, notes = loop(), list[float]()
    made.run(_note(notes, 86_400))
    assert notes == [86_400, 2 * 86_400, 3 * 86_400]


def test_who_is_held_goes_on_where_it_stood_once_it_is_let_go() -> None:
    made, notes, owner = loop(), list[float](), Owner()

    async def main() -> None:
        task = _of(owner, notes)
        await asyncio.sleep(1.5)
        owner.held = True
        await asyncio.sleep(10)
        assert notes == [1.0]
        made.thaw(owner)
        await task

    made.run(main())
    assert notes == [1.0, 11.5, 12.5]


def test_who_is_gone_does_nothing_any_more() -> None:
    notes, owner = list[float](), Owner()

    async def main() -> None:
        _of(owner, notes)
        await asyncio.sleep(1.5)
        owner.gone = True
        await asyncio.sleep(10)
        assert notes == [1.0]

    loop().run(main())


def test_what_runs_in_a_thread_is_done_a_moment_later_and_its_error_is_told() -> None:
    def broken() -> None:
        raise ValueError("broken")

    async def main() -> None:
        assert await asyncio.to_thread(sum, [1, 2]) == 3
        assert 0 < asyncio.get_running_loop().time() < 0.01
        with pytest.raises(ValueError, match="broken"):
            await asyncio.to_thread(broken)

    loop().run(main())


def test_waiting_for_what_never_comes_is_an_error() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        loop().run(main())


def test_a_moment_that_does_not_end_is_an_error() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110  # it is what is tested
            await asyncio.sleep(0)

    with pytest.raises(Stuck):
        loop().run(main())
