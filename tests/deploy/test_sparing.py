"""Log lines that repeat are told less and less often, and none is lost without being counted."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from deploy import logs
from deploy.sparing import FIRST, MANY, QUIET, Sparing


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A filter that is asked about one kind of line after the other."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._filter = Sparing(self.clock)

    def at(
        self, second: float, event: str = "away", level: int = logging.WARNING, **more: object
    ) -> int | None:
        """Return how many were left out before this one, None when it is left out itself."""
        self.clock.now = second
        said = {"event": event, "logger": "here", **more}
        record = logging.LogRecord("here", level, "", 0, said, (), None)
        if not self._filter.filter(record):
            return None
        assert isinstance(record.msg, dict)
        return int(record.msg.get("left_out", 0))


def test_a_minute_of_the_same_is_two_lines_and_an_hour_is_seven() -> None:
    told = Told()
    found = {second: told.at(second) for second in range(0, 3601, 3)}
    shown = {second: left_out for second, left_out in found.items() if left_out is not None}
    assert list(shown) == [0, 60, 180, 420, 900, 1860]
    assert sum(shown.values()) + len(shown) + sum(s > 1860 for s in found) == len(found)


def test_what_has_not_happened_for_a_while_is_news_again() -> None:
    told = Told()
    assert [told.at(0), told.at(1), told.at(2)] == [0, None, None]
    assert told.at(2 + QUIET + 1) == 2
    assert told.at(4 + QUIET) is None


def test_each_kind_of_line_is_told_for_itself() -> None:
    told = Told()
    assert [told.at(0, "away"), told.at(0, "full"), told.at(0, "away")] == [0, 0, None]


def test_errors_are_told_for_each_source_and_warnings_once_for_all() -> None:
    told = Told()
    assert [told.at(0, source=n) for n in range(3)] == [0, None, None]
    assert [told.at(0, "drift", logging.ERROR, source=n) for n in range(3)] == [0, 0, 0]


def test_errors_about_other_files_or_for_other_reasons_are_told_for_themselves() -> None:
    told = Told()
    damaged = [told.at(0, "damaged", logging.ERROR, file=f"s-{n}.db", reason="x") for n in range(3)]
    assert damaged == [0, 0, 0]
    answers = [("/v1/cards", "a"), ("/v1/desk", "a"), ("/v1/desk", "b"), ("/v1/desk", "b")]
    failed = [told.at(0, "500", logging.ERROR, path=path, error=error) for path, error in answers]
    assert failed == [0, 0, 0, None]


def test_an_error_about_thousands_of_ids_is_one_kind() -> None:
    told = Told()
    failed = [
        told.at(0, "500", logging.ERROR, path=f"/requests/hub.r-{n}", error=f"{n}: not found")
        for n in range(1000)
    ]
    assert failed == [0] + [None] * 999


def test_an_error_that_always_says_something_else_is_a_few_lines_a_minute() -> None:
    told = Told()
    found = [told.at(n, "500", logging.ERROR, error="x" * (n + 1)) for n in range(180)]
    shown = [left_out for left_out in found if left_out is not None]
    assert 3 * MANY <= len(shown) <= 3 * (MANY + 1)
    assert sum(shown) > 0


def test_nothing_else_is_ever_left_out() -> None:
    told = Told()
    for level in (logging.INFO, logging.CRITICAL):
        assert [told.at(second, "again", level) for second in range(5)] == [0] * 5


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    before, levels = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    logs.set_up(stream)
    yield stream
    logging.root.handlers, logging.root.level = before, levels
    structlog.reset_defaults()


def test_a_library_that_repeats_itself_a_thousand_times_is_one_line(lines: io.StringIO) -> None:
    for attempt in range(1000):
        logging.getLogger("library").error("cannot connect to %s: %s", "node", attempt)
        structlog.get_logger("ours").warning("not published", events=attempt)
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [one["event"] for one in said] == ["cannot connect to node: 0", "not published"]
    assert FIRST > QUIET
