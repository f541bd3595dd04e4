"""What is kept of ledgers: merged in small pieces, it is what it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bus.port import Partition
from bus.state import State
from schemas.contribution import slot
from schemas.topics import REQUESTS, RESULTS
from services.stats import store as storing
from services.stats.store import TABLES, Put, Store
from tests.histories import record
from tests.simulation.events import usable
from tests.stats.test_worker import service

SOURCE = Partition(RESULTS.name, 0)
ASIDE = Partition(REQUESTS.name, 0)
BLOBS = TABLES.tables["blob"]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State.open(tmp_path / "state.db", TABLES, "fake") as opened:
        yield opened


def put(number: int, revision: int) -> Put:
    event = usable(record(service(number, revision=revision)).value)
    return Put(event.subject, slot(event))


def blobs(state: State, *, merged: bool) -> int:
    with state.read() as db:
        asked = select(func.count()).where(BLOBS.c.merged.is_(merged))
        return db.scalar(asked) or 0


def test_what_a_replay_leaves_is_merged_a_piece_at_a_time_and_stands_as_before(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(state, merge=3)
    for n in range(20):
        store.save(SOURCE, n, n + 1, [put(n % 7, n + 1)])
    before = store.load(SOURCE)[0]
    with state.read() as db:
        size = db.scalar(select(func.max(func.length(BLOBS.c.slots)))) or 0
    monkeypatch.setattr(storing, "_ROOM", 5 * size)
    left = []
    for _ in range(5):
        store.published(SOURCE, 20)
        left.append((blobs(state, merged=False), blobs(state, merged=True)))
    assert left[0] == (15, 1)
    assert left[-1] == (0, 4)
    assert Store(state).load(SOURCE)[0] == before


def test_a_blob_larger_than_the_room_is_merged_alone(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "_ROOM", 1)
    store = Store(state, merge=1)
    for n in range(3):
        store.save(SOURCE, n, n + 1, [put(n, 1)])
    store.published(SOURCE, 3)
    assert (blobs(state, merged=False), blobs(state, merged=True)) == (2, 1)


def test_what_does_not_count_is_merged_without_being_published(state: State) -> None:
    store = Store(state, merge=3)
    for n in range(20):
        store.save(ASIDE, n, n + 1, [put(n % 7, n + 1)], counts=False)
    assert blobs(state, merged=False) <= 3
    assert len(store.load(ASIDE)[0].subjects) == 7
