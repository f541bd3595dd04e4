"""A test's own work in a thread ends when what goes on beside it has failed."""

import asyncio

import pytest

from tests.system.meanwhile import meanwhile
from tests.system.process import until


async def _fails() -> None:
    await asyncio.sleep(0.05)
    raise ValueError


async def test_who_waits_for_what_never_comes_is_told_that_the_others_have_failed() -> None:
    ended: list[str] = []

    def waits() -> None:
        try:
            until(lambda: False)
        except AssertionError as error:
            ended.append(str(error))

    with pytest.RaisesGroup(ValueError):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_fails())
            await meanwhile(waits)
    assert ended == ["what went on beside this has failed"]


async def test_its_own_failure_is_raised_where_it_is_awaited() -> None:
    def fails() -> None:
        raise ValueError("itself")

    with pytest.raises(ValueError, match="itself"):
        await meanwhile(fails)
