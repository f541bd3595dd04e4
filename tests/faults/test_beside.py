"""Work beside a test ends with the test, however that ends."""

import asyncio

import pytest

from tests.faults.beside import Beside


async def _for_ever(_: asyncio.Event) -> None:
    await asyncio.Event().wait()


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
    raise ValueError("itself")


def test_a_test_that_fails_at_once_leaves_no_work_behind() -> None:
    for _ in range(20):
        beside = Beside(_for_ever, "for ever")
        with pytest.raises(ValueError, match="the test"), beside:
            raise ValueError("the test")
        with pytest.raises(AssertionError, match="ended by itself"):
            beside.alive()


def test_what_it_failed_with_is_raised_when_it_is_told_to_end() -> None:
    with pytest.raises(ValueError, match="itself"), Beside(_until, "until"):
        pass
