"""The fact index of a screen: every statement once, and in every slot what was told last."""

from collections.abc import Iterator

from sqlalchemy import select

from bus.state import State
from schemas.codec import Event, decoder
from schemas.topics import RESULTS
from services.screens.tables import STANDING, STATEMENT
from tests.simulation.events import read
from tests.simulation.facts import TWICE, Stations
from tests.simulation.log import Log

Stands = tuple[str, str, str, int, str]
"""Subject, slot, type, revision, node."""


def agrees(state: State, log: Log, stations: Stations) -> None:
    """Hold what an index keeps against what was told, and against the log."""
    slot, at = STANDING.c, STATEMENT.c
    columns = slot.subject, slot.slot, slot.kind, slot.revision, slot.node
    with state.read() as connection:
        stands = {tuple(row) for row in connection.execute(select(*columns))}
        stated = {tuple(row) for row in connection.execute(select(at.partition, at.offset))}
    wrong = stands ^ set(_told(stations))
    assert not wrong, f"index: what stands differs: {sorted(wrong)}"
    missed = stated ^ set(_statements(log))
    assert not missed, f"index: statements differ: {sorted(missed)}"


def _told(stations: Stations) -> Iterator[Stands]:
    last: dict[tuple[str, str], Stands] = {}
    for one in (event for history in stations.histories for event in history.events):
        kind, subject, data = one["type"], one["subject"], one["data"]
        key = subject, data.get("target_type", kind)
        if key not in last or last[key][3] < data["revision"]:
            last[key] = (*key, kind, data["revision"], data["node_id"])
    yield from last.values()
    if stations.histories:
        visit = "yizhan.visit.completed"
        yield TWICE, visit, visit, 1, "county-a"


def _statements(log: Log) -> Iterator[tuple[int, int]]:
    for place, tape in log.tapes.items():
        if place.topic == RESULTS.name:
            check = decoder(RESULTS, place.number, log.partitions(RESULTS), read)
            for line in tape.lines:
                if isinstance(check(line.value), Event):
                    yield place.number, line.offset
