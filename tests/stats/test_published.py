"""What the audit keeps grows with what stands, and is what every reader shows."""

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

from bus.port import Partition
from schemas.codec import Event, decode, encode
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import RESULTS
from services.stats.fold import Cell
from services.stats.published import Published
from services.stats.recount import Recount
from services.stats.said import mark, rows
from tests.histories import event
from tests.stats.test_worker import STATED, service

SOURCE = Partition(RESULTS.name, 0)
PLACE = ("yinhu", "2023-05-06")
WHEN = "2024-01-01T00:00:00+08:00"
CHANGES = 2_000
WARM = 500


def grown(read: Callable[[Event], None], changes: Iterable[Event]) -> int:
    """Return by how many bytes what is kept grows while the later ones of `changes` are read."""
    made = list(changes)
    for change in made[:WARM]:
        read(change)
    tracemalloc.start()
    for change in made[WARM:]:
        read(change)
    gc.collect()  # also frees the tuples that the interpreter keeps for later
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept


def updates() -> Iterator[Event]:
    """Yield a row of one place whose totals grow, and the mark after it, again and again."""
    for n in range(1, CHANGES + WARM):
        cell = Cell({"visits": n, "services_delivered": 2 * n}, {})
        for made in (*rows(SOURCE, n, PLACE, cell, WHEN), mark(SOURCE, n, WHEN)):
            yield stated(made.value)


def activities() -> Iterator[Event]:
    """Yield revisions of one activity: other enterprises each time, and more people."""
    for n in range(CHANGES + WARM):
        data = {
            **{name: service(0)["data"][name] for name in STATED},
            "revision": n + 1,
            "kind": "training",
            "sessions": 1,
            "enterprises": [f"ent-{n % 50}", f"ent-{50 + n // 50}"],
            "persons": n + 1,
        }
        yield stated(encode(event("activity.held", "yinhu.activity", data)))


def stated(value: bytes | None) -> Event:
    found = decode(value)
    assert isinstance(found, Event), found
    return found


def test_totals_that_changed_thousands_of_times_take_the_room_of_one() -> None:
    shown = Published()

    def read(change: Event) -> None:
        if isinstance(change.data, CounterUpdated):
            shown.keep_back(change.data)
        elif isinstance(change.data, CountersFlushed):
            shown.flush(change.data)

    assert grown(read, updates()) < 20 * CHANGES


def test_a_fact_that_was_corrected_thousands_of_times_takes_the_room_of_one() -> None:
    assert grown(Recount().read, activities()) < 20 * CHANGES


def test_a_row_of_an_older_catalogue_whose_own_mark_is_gone_is_not_shown() -> None:
    shown = Published()
    for made in rows(SOURCE, 7, PLACE, Cell({"visits": 7}, {}), WHEN):
        old = stated(made.value).data
        assert isinstance(old, CounterUpdated)
        shown.keep_back(old.model_copy(update={"catalogue": old.catalogue - 1}))
    newer = stated(mark(SOURCE, 9, WHEN).value).data
    assert isinstance(newer, CountersFlushed)
    shown.flush(newer)
    assert not shown.at(PLACE).sums
