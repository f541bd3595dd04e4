"""Pages of the facts behind a number of enterprises: all of them, once, in little room."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.state import State
from schemas.codec import Event, decode
from schemas.days import Period
from services.screens.judge import judge
from services.screens.parts import Cut, Page, Wanted, page
from services.screens.past import GoOn, Scope
from services.screens.tables import TABLES
from services.screens.writer import Heard
from tests.screens.made import SOURCE, service

MERGED = {"e-1": "e-3", "e-4": "e-2"}
Behind = Callable[..., Page]


def go_on() -> None:
    """Let work go on."""


@contextmanager
def index(enterprises: Sequence[str]) -> Iterator[Behind]:
    """Yield what pages there are behind the number of enterprises served, each so often."""
    with (
        TemporaryDirectory() as folder,
        State.open(Path(folder) / "state.db", TABLES, "log") as state,
    ):
        with state.move(SOURCE, 0, len(enterprises)) as connection:
            judge(connection, 0, [heard(n, one) for n, one in enumerate(enterprises)])

        def behind(limit: int, after: str | None = None, go_on: GoOn = go_on) -> Page:
            wanted = Wanted(
                "enterprises_served", lambda _node, _day: True, lambda e: MERGED.get(e, e)
            )
            scope = Scope(Period.parse("all"), kind="yizhan.service.delivered")
            with state.read() as connection:
                return page(connection, scope, wanted, Cut(after, limit), go_on)

        yield behind


def heard(offset: int, enterprise: str) -> Heard:
    value = service(f"s-1.{offset:05}", enterprise).value or b""
    event = decode(value)
    assert isinstance(event, Event)
    return Heard(offset, offset, event, value)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([f"e-{n}" for n in range(7)]), max_size=20), st.integers(1, 8))
def test_pages_together_tell_every_enterprise_once_with_all_its_facts(
    enterprises: list[str], limit: int
) -> None:
    expected: dict[str, list[str]] = {}
    for n, one in enumerate(enterprises):
        expected.setdefault(MERGED.get(one, one), []).append(f"s-1.{n:05}")
    with index(enterprises) as behind:
        found = behind(limit)
        rows = found.rows
        while (last := found.next) is not None:
            assert len(found.rows) == limit
            assert last == rows[-1]["enterprise_id"]
            found = behind(limit, last)
            assert found.rows[0]["enterprise_id"] > last
            rows += found.rows
    told = {row["enterprise_id"]: [fact["subject"] for fact in row["facts"]] for row in rows}
    assert list(told.items()) == sorted(expected.items())
    assert len(rows) == len(told)


def test_a_page_takes_no_more_room_when_there_are_more_enterprises(
    tell: Callable[..., None],
) -> None:
    taken = {}
    for number in (1000, 3000):
        with index([f"e-{n:04}" for n in reversed(range(number))]) as behind:
            tracemalloc.start()
            assert len(behind(10).rows) == 10
            taken[number] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    tell("bytes at most", **{str(number): most for number, most in taken.items()})
    assert taken[3000] < taken[1000] * 1.5


def test_work_on_a_page_can_be_ended_at_any_subject() -> None:
    with index([f"e-{n}" for n in range(9)]) as behind:
        seen = 0

        def enough() -> None:
            nonlocal seen
            seen += 1
            if seen == 4:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            behind(100, go_on=enough)
        assert seen == 4
