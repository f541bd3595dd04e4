"""Times as people read them: RFC 3339 at +08:00."""

from datetime import UTC, datetime

from schemas.days import SHANGHAI


def instant(milliseconds: int) -> datetime:
    """Return the instant so many milliseconds after 1970 began."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def stamp(time: datetime | None) -> str | None:
    """Return a time as "2026-11-21T10:00:00+08:00", with milliseconds if it has any."""
    if time is None:
        return None
    local = time.astimezone(SHANGHAI)
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")


def stamped(milliseconds: int | None) -> str | None:
    """Return milliseconds since 1970 as a stamp."""
    return None if milliseconds is None else stamp(instant(milliseconds))
