"""When it happens: workdays, with their seasons and office hours."""

from datetime import date, datetime, time, timedelta
from random import Random

from schemas.days import SHANGHAI

FIRST, LAST = date(2023, 1, 1), date(2024, 7, 18)
"""The days that the printed figures are about."""

SEASONS = (7, 6, 10, 10, 10, 11, 9, 9, 14, 10, 11, 10)
"""How busy the months are: quiet around the new year, full in September, the quality month."""

HOURS = {8: 5, 9: 14, 10: 15, 11: 9, 12: 1, 13: 3, 14: 13, 15: 14, 16: 11, 17: 4}
"""How busy the hours of an office day are."""

_FREE = (
    ("2023-01-01", "2023-01-02"), ("2023-01-21", "2023-01-27"), ("2023-04-05", "2023-04-05"),
    ("2023-04-29", "2023-05-03"), ("2023-06-22", "2023-06-24"), ("2023-09-29", "2023-10-06"),
    ("2024-01-01", "2024-01-01"), ("2024-02-09", "2024-02-17"), ("2024-04-04", "2024-04-06"),
    ("2024-05-01", "2024-05-05"), ("2024-06-10", "2024-06-10"),
)  # fmt: skip


def workdays(first: date, last: date) -> list[date]:
    """Return the office days from `first` to `last`, both included."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5 and not _free(day.isoformat())]


def moments(rng: Random, first: date, last: date, count: int) -> list[datetime]:
    """Return `count` moments in office hours from `first` to `last`, in order."""
    days = workdays(first, last)
    weights = [SEASONS[day.month - 1] for day in days]
    return sorted(moment(rng, day) for day in rng.choices(days, weights, k=count))


def moment(rng: Random, day: date) -> datetime:
    """Return a moment of `day` in office hours."""
    (hour,) = rng.choices(list(HOURS), list(HOURS.values()))
    return datetime.combine(day, time(hour, rng.randrange(60)), SHANGHAI)


def _free(day: str) -> bool:
    return any(first <= day <= last for first, last in _FREE)
