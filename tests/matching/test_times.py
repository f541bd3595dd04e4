"""Spans of days."""

import pytest

from services.matching.times import HIGH, LOW, days, instant, moment


@pytest.mark.parametrize(
    ("first", "last", "since", "until"),
    [
        ("2026-02-27", "2026-02-28", "2026-02-27", "2026-03-01"),
        ("2026-02-30", "2026-03-01", "2026-03-01", "2026-03-02"),
        ("2026-02-01", "2026-02-31", "2026-02-01", "2026-03-01"),
        ("2024-02-29", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("2026-11-30", "2026-12-31", "2026-11-30", "2027-01-01"),
    ],
)
def test_days_go_from_midnight_to_midnight_also_if_no_calendar_has_them(
    first: str, last: str, since: str, until: str
) -> None:
    found = days(first, last)
    assert [moment(at).isoformat() for at in found] == [
        f"{day}T00:00:00+08:00" for day in (since, until)
    ]


def test_days_without_an_end_go_as_far_as_time_can_be_stated() -> None:
    assert days(None, None) == (LOW, HIGH)
    assert instant(moment(HIGH)) == HIGH
