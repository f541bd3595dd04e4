"""Dead letters: one origin for each record that cannot be used, and none for any other."""

from bus.port import Partition
from schemas.codec import Event, decoder
from schemas.fields import Stated
from schemas.topics import DEAD_LETTERS, named
from services.stats.app import INPUTS
from tests.simulation.events import read
from tests.simulation.log import Log


def expected(log: Log) -> set[str]:
    """Return the origins of all that cannot be used."""
    found: set[str] = set()
    standing: dict[tuple[str, str], tuple[int, str]] = {}
    topics = {topic.name for topic in INPUTS}
    for place, tape in sorted(log.tapes.items()):
        if place.topic not in topics:
            continue
        topic = named(place.topic)
        check = decoder(topic, place.number, log.partitions(topic), read)
        for line in tape.lines:
            event = check(line.value)
            if not isinstance(event, Event) or _conflicts(event, standing):
                found.add(f"{place.topic}/{place.number}/{line.offset}")
    return found


def written(log: Log) -> set[str]:
    """Return the origins that letters name, by their keys."""
    places = [Partition(DEAD_LETTERS.name, n) for n in range(log.partitions(DEAD_LETTERS))]
    return {(line.key or b"").decode() for place in places for line in log.tapes[place].lines}


def _conflicts(event: Event, standing: dict[tuple[str, str], tuple[int, str]]) -> bool:
    if not isinstance(event.data, Stated):
        return False
    slot, stated = (event.slot, event.subject), (event.data.revision, event.content)
    before = standing.get(slot)
    if before is None or before[0] < stated[0]:
        standing[slot] = stated
        return False
    return before[0] == stated[0] and before[1] != stated[1]
