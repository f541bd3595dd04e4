"""States whose log is not there: told before anything new takes its place."""

from collections.abc import Iterable
from pathlib import Path

from bus import Bus, Partition
from bus.state import origin
from deploy.log import file, made
from schemas.errors import Unusable
from schemas.topics import TOPICS

STATES = ("stats-*.db", "screens.db", "requests.db")
"""What the services keep in the data folder."""


def there(url: str, data: Path) -> None:
    """Raise Unusable when the log's file is missing or empty while states of it lie in `data`."""
    place = file(url)
    if place is not None and not made(place) and (found := _states(data)):
        raise _missing(str(place), "is missing", found)


async def of_this_log(log: Bus, url: str, data: Path) -> None:
    """Raise Unusable when `log` is new while there are states of another one in `data`."""
    others = [one for one in _states(data) if origin(one) not in {None, log.identity}]
    if others and not await _written(log):
        raise _missing(str(file(url) or url), "is new and empty", others)


def _states(data: Path) -> list[Path]:
    return sorted(found for pattern in STATES for found in data.glob(pattern))


async def _written(log: Bus) -> bool:
    places = [Partition(topic.name, n) for topic in TOPICS for n in range(log.partitions(topic))]
    return any([await log.highwater(place) for place in places])


def _missing(log: str, what: str, states: Iterable[Path]) -> Unusable:
    names = ", ".join(str(state) for state in states)
    return Unusable(
        f"the log {log} {what}, but there are states of another log: {names}; delete nothing, "
        "the log is the only copy of all facts: put it back, or move these files away to begin anew"
    )
