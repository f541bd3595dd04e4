"""Bounds in time, also around what swallows a cancellation."""

import asyncio

import pytest

from bus.kafka.bound import Bound


async def stubborn(times: int) -> None:
    """Go on although cancelled so many times."""
    for _ in range(times):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
    await asyncio.sleep(60)


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_who_swallows_being_cancelled_ends_in_time_all_the_same(times: int) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with Bound(0.01, again=0.01):
                await stubborn(times)
    assert (task := asyncio.current_task()) is not None
    assert not task.cancelling()


async def test_what_ends_in_time_is_left_alone() -> None:
    async with Bound(60):
        await asyncio.sleep(0)


async def test_who_is_cancelled_by_somebody_else_is_cancelled() -> None:
    async def bounded() -> None:
        async with Bound(60):
            await asyncio.sleep(60)

    task = asyncio.create_task(bounded())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_body_is_its_own() -> None:
    with pytest.raises(ValueError, match="own"):
        async with Bound(60):
            raise ValueError("own")
