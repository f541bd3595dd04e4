"""What takes long is done more rarely, but never so rarely that nobody knows any more."""

import pytest

from services.stats.pace import pause

ALARM = 3600.0
"""Seconds without a recount after which YizhanAuditOld is raised."""


@pytest.mark.parametrize(
    ("every", "took", "seconds"),
    [(60, 1, 60), (60, 30, 150), (60, 300, 1500), (60, 1200, 1800), (7200, 1200, 7200)],
)
def test_work_takes_a_sixth_of_the_time_until_its_pause_is_half_an_hour(
    every: float, took: float, seconds: float
) -> None:
    assert pause(every, took) == seconds


def test_a_recount_of_twenty_minutes_raises_no_alarm() -> None:
    took = 1200.0
    assert took + pause(60, took) < ALARM
