"""States whose log is not there: told before anything new takes its place."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from bus import Bus
from bus.ends import ends, places
from bus.glance import origin, sound, stands
from deploy.log import file, made
from schemas.errors import Unusable
from schemas.measures import CATALOGUE
from schemas.topics import TOPICS

STATES = {"stats": ("stats-*.db",), "screens": ("screens.db", "requests.db")}
"""What each service keeps in the data folder."""


def there(url: str, data: Path) -> None:
    """Raise Unusable when the log's file is missing or empty while states of it lie in `data`."""
    place = file(url)
    if place is not None and not made(place) and (found := states(data)):
        raise _missing(str(place), "is missing", found)


async def of_this_log(log: Bus, url: str, data: Path) -> None:
    """Raise Unusable when states in `data` tell that `log` is not the one that is meant.

    It is new while they are of another one, or it ends before what they have read: then an older
    copy of it was put back. That must be told before anything is written to it, for a log that has
    grown again would have the same positions, but other records.
    """
    found, name = states(data), str(file(url) or url)
    others = [one for one in found if origin(one) not in {None, log.identity}]
    if others and not await _written(log):
        raise _missing(name, "is new and empty", others)
    for state in found:
        if state in others or not (told := await _ahead(log, state)):
            continue
        if await asyncio.to_thread(sound, state):
            raise Unusable(
                f"the log {name} is older than {state}, which has read {told}: put the newer log "
                f"back, or, if there is none, move {', '.join(map(str, found))} away to go on "
                "with this one"
            )


def states(data: Path, services: Iterable[str] = STATES) -> list[Path]:
    """Return the states of services that lie in `data`."""
    patterns = [pattern for service in services for pattern in STATES.get(service, ())]
    return sorted(found for pattern in patterns for found in data.glob(pattern))


def current(data: Path, services: Iterable[str]) -> list[Path]:
    """Return the states that services have open in `data`: not those of other catalogues."""
    names = [name for service in services for name in STATES.get(service, ())]
    return [data / name.replace("*", str(CATALOGUE)) for name in names]


async def _ahead(log: Bus, state: Path) -> str | None:
    """Return what a state has read that the log does not hold."""
    positions = stands(state)
    for place, end in (await ends(log, positions)).items():
        if positions[place] > end:
            return (
                f"{positions[place]} records of {place.topic}/{place.number} where it holds {end}"
            )
    return None


async def _written(log: Bus) -> bool:
    return any((await ends(log, places(log, TOPICS))).values())


def _missing(log: str, what: str, states: Iterable[Path]) -> Unusable:
    names = ", ".join(str(state) for state in states)
    return Unusable(
        f"the log {log} {what}, but there are states of another log: {names}; delete nothing, "
        "the log is the only copy of all facts: put it back, or move these files away to begin anew"
    )
