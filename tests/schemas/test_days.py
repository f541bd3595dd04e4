"""Business days and periods, in +08:00."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.days import Period, business_day
from schemas.errors import Invalid

DATES = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2023-05-06T15:59:59Z", "2023-05-06"),
        ("2023-05-06T16:00:00Z", "2023-05-07"),
        ("2023-05-06T00:00:00+08:00", "2023-05-06"),
        ("2023-05-06T23:59:59+08:00", "2023-05-06"),
        ("2023-05-06T23:00:00-11:00", "2023-05-07"),
        ("2023-05-06T00:30:00+14:00", "2023-05-05"),
        ("2024-02-28T16:00:00Z", "2024-02-29"),
        ("2023-02-28T16:00:00Z", "2023-03-01"),
        ("2023-12-31T16:00:00Z", "2024-01-01"),
        ("1999-12-31T16:00:00Z", "2000-01-01"),
    ],
)
def test_a_day_begins_at_midnight_in_shanghai(time: str, day: str) -> None:
    assert business_day(datetime.fromisoformat(time)) == day


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  # given with its zone
def test_a_day_has_24_hours_all_year(time: datetime) -> None:
    later = business_day(time + timedelta(days=1))
    assert date.fromisoformat(later) - date.fromisoformat(business_day(time)) == timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-11-21", "2026-11-21", "2026-11-21"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        ("2026-11", "2026-11-01", "2026-11-30"),
        ("2026-12", "2026-12-01", "2026-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2000-02", "2000-02-01", "2000-02-29"),
        ("2026", "2026-01-01", "2026-12-31"),
        ("2000", "2000-01-01", "2000-12-31"),
        ("2099-12", "2099-12-01", "2099-12-31"),
        ("2000..2099", "2000-01-01", "2099-12-31"),
        ("2023-01-01..2024-07-18", "2023-01-01", "2024-07-18"),
        ("2023-01-01..2023-01-01", "2023-01-01", "2023-01-01"),
        ("2023..2024", "2023-01-01", "2024-12-31"),
        ("2023-11..2024-02", "2023-11-01", "2024-02-29"),
        ("2023..2023-06-30", "2023-01-01", "2023-06-30"),
        ("all", None, None),
    ],
)
def test_a_period_has_a_first_and_a_last_day(
    text: str, first: str | None, last: str | None
) -> None:
    assert Period.parse(text) == Period(text, first, last)


@pytest.mark.parametrize(
    "text",
    ["", " ", "2026-13", "2026-00", "2026-02-30", "2023-02-29", "2026-11-31", "0000", "26",
     "2026-1", "2026-1-01", "2026-11-1", "20261121", "2026-11-21T00:00:00Z", "2026-11-21\n",
     "2026/11/21", "11-21-2026", "2023-+1-01", "2023- 1-01", "1_00-01-01", "11-11-11-1", "20-12-x",
     "-2026", "٢٠٢٦", "２０２６", "..", "2023..", "..2023", "2023...2024", "2023..2024..2025",
     "all..2023", "2023..all", "ALL", "today"],
)  # fmt: skip
def test_what_is_no_period_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Period.parse(text)
    assert (refused.value.field, refused.value.rule) == ("period", "form")


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(Invalid) as refused:
        Period.parse("2024-01-02..2024-01-01")
    assert (refused.value.field, refused.value.rule) == ("period", "order")


@pytest.mark.parametrize(
    "text",
    ["9999", "9999-12", "9999-12-31", "2100", "2100-01-01", "1999", "1999-12-31", "0001",
     "0001-01-01..9999-12-31", "1999-12-31..2000-01-01", "2099-12-31..2100-01-01",
     "2026..2100", "1999..2026"],
)  # fmt: skip
def test_a_period_lies_in_the_years_that_have_business_days(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Period.parse(text)
    assert (refused.value.field, refused.value.rule) == ("period", "range")


@given(DATES, DATES, DATES)
def test_a_period_holds_its_days_and_no_others(one: date, two: date, day: date) -> None:
    first, last = min(one, two), max(one, two)
    period = Period.parse(f"{first}..{last}")
    assert (str(day) in period) == (first <= day <= last)
    assert str(first) in period
    assert str(last) in period
    assert str(day) in Period.parse("all")


@given(DATES)
def test_a_day_lies_in_its_month_and_its_year_and_in_no_other(day: date) -> None:
    text = str(day)
    assert text in Period.parse(text[:7])
    assert text in Period.parse(text[:4])
    other = day.year + 1 if day.year < 2099 else 2000
    assert text not in Period.parse(f"{other}")
    assert text not in Period.parse(f"{day.year}-{day.month % 12 + 1:02}")
