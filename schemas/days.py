"""Business days and periods: what a day, a month, a year or FROM..TO means.

A business day is the date of an instant in Asia/Shanghai, which has kept +08:00 without summer time
since 1992; facts begin in 2000, so a fixed offset is exact and needs no time zone database.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from schemas.errors import Invalid

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
ALL = "all"
_FIRST, _LAST = "2000-01-01", "2099-12-31"
_FORM = re.compile("[0-9]{4}(-[0-9]{2}){0,2}")


def business_day(time: datetime) -> str:
    """Return the business day of an instant, as "2023-05-06"."""
    return time.astimezone(SHANGHAI).date().isoformat()


@dataclass(frozen=True, slots=True)
class Period:
    """Inclusive days from `first` to `last`; None leaves that side open. `text` is as asked."""

    text: str
    first: str | None
    last: str | None

    def __contains__(self, day: str) -> bool:
        """Whether `day` lies in the period (days compare as texts)."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read "2026-11-21", "2026-11", "2026", "all" or "2023-01-01..2024-07-18".

        Raises Invalid naming the field `period`; days outside the years 2000 to 2099 have no facts.
        """
        if text == ALL:
            return cls(text, None, None)
        first, dots, last = text.partition("..")
        begin, end = _span(first), _span(last if dots else first)
        if begin[0] < _FIRST or end[1] > _LAST:
            raise Invalid("period", "range", f"{text!r} leaves the years 2000 to 2099")
        if begin[0] > end[1]:
            raise Invalid("period", "order", f"{text!r} ends before it begins")
        return cls(text, begin[0], end[1])


def _span(text: str) -> tuple[str, str]:
    """Return the first and the last day of a day, month or year."""
    try:
        match [int(part) for part in text.split("-")] if _FORM.fullmatch(text) else []:
            case [year, month, day]:
                return (date(year, month, day).isoformat(),) * 2
            case [year, month]:
                last = monthrange(year, month)[1]
                return f"{text}-01", date(year, month, last).isoformat()
            case [year]:
                return date(year, 1, 1).isoformat(), date(year, 12, 31).isoformat()
    except ValueError:
        pass
    raise Invalid(
        "period", "form", f"{text!r} is none of 2026-11-21, 2026-11, 2026, all or FROM..TO"
    )
