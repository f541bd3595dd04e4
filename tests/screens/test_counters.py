"""The counters view against a naive oracle, and what a flush mark means."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.days import Period
from schemas.reports import CountersFlushed, CounterUpdated
from services.screens.counters import Counters

NODES = {"hub": None, "area-1": "hub", "area-2": "hub", "s-1": "area-1", "s-2": "area-1"}
DAYS = ["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01", "2027-03-05"]
PERIODS = [
    *("all", "2025", "2026", "2026-01", "2026-01-01", "2024", "2025-12-31..2026-01-01"),
    *("2025-12..2026-01-31", "2025-12-31..2027-03-04", "2026..2027", "2026-01-02..2026-02-01"),
]
ENTERPRISES = ["e-1", "e-2", "e-3", "e-4"]


def path(parents: Mapping[str, str | None], node: str) -> list[str]:
    found = [node]
    while above := parents.get(found[-1]):
        found.append(above)
    return found


def resolve(merges: Mapping[str, str], enterprise: str) -> str:
    while enterprise in merges:
        enterprise = merges[enterprise]
    return enterprise


def row(  # noqa: PLR0917
    node: str,
    day: str,
    position: int,
    sums: dict[str, int],
    sets: dict[str, tuple[str, ...]],
    catalogue: int = 1,
    partition: int = 0,
) -> CounterUpdated:
    return CounterUpdated(
        topic="t", partition=partition, catalogue=catalogue, position=position,
        node=node, day=day, sums=sums, sets=sets,
    )  # fmt: skip


def mark(position: int, catalogue: int = 1, partition: int = 0) -> CountersFlushed:
    return CountersFlushed(topic="t", partition=partition, catalogue=catalogue, position=position)


@dataclass
class World:
    """The view, and beside it all rows as they were stated last."""

    parents: dict[str, str | None] = field(default_factory=lambda: dict(NODES))
    merges: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[int, str, str], CounterUpdated] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counters = Counters(
            lambda node, _: path(self.parents, node), lambda e: resolve(self.merges, e)
        )

    def state(self, stated: CounterUpdated) -> None:
        self.counters.update(stated)
        self.counters.flush(mark(stated.position, stated.catalogue, stated.partition))
        self.rows[stated.partition, stated.node, stated.day] = stated

    def expected(self, node: str, period: Period) -> dict[str, int]:
        sums: dict[str, int] = {}
        sets: dict[str, set[str]] = {}
        for stated in self.rows.values():
            if node in path(self.parents, stated.node) and stated.day in period:
                for key, amount in stated.sums.items():
                    sums[key] = sums.get(key, 0) + amount
                for key, members in stated.sets.items():
                    sets.setdefault(key, set()).update(resolve(self.merges, m) for m in members)
        return {k: n for k, n in (sums | {k: len(m) for k, m in sets.items()}).items() if n}


amounts = st.dictionaries(st.sampled_from(["services", "services;mode=x"]), st.integers(0, 5))
members = st.dictionaries(
    st.sampled_from(["served", "visited"]),
    st.lists(st.sampled_from(ENTERPRISES), unique=True).map(tuple),
)
rows = st.tuples(
    st.just("row"), st.sampled_from(["s-1", "s-2", "area-2"]), st.sampled_from(DAYS),
    amounts, members, st.integers(0, 1),
)  # fmt: skip
moves = st.tuples(
    st.just("move"), st.sampled_from(["s-1", "s-2"]), st.sampled_from(["hub", "area-1", "area-2"])
)
merges = st.tuples(st.just("merge"), st.sampled_from([("e-1", "e-2"), ("e-3", "e-2")]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(rows, rows, rows, moves, merges), max_size=25))
def test_every_period_of_every_node_is_what_its_rows_add_up_to(
    steps: list[tuple[object, ...]],
) -> None:
    world = World()
    for position, step in enumerate(steps, 1):
        match step:
            case ("row", str(node), str(day), dict(sums), dict(sets), int(partition)):
                world.state(row(node, day, position, sums, sets, partition=partition))
            case ("move", str(node), str(parent)):
                world.parents[node] = parent
                world.counters.moved({node})
            case ("merge", (str(gone), str(into))):
                world.merges[gone] = into
                world.counters.merged({gone})
    for node in NODES:
        for period in map(Period.parse, PERIODS):
            assert world.counters.read(node, period) == world.expected(node, period)


def test_taking_every_row_back_leaves_no_cell() -> None:
    world = World()
    for position, day in enumerate(DAYS):
        world.state(row("s-1", day, position, {"services": 2}, {"served": ("e-1", "e-2")}))
    for position, day in enumerate(DAYS, 10):
        world.state(row("s-1", day, position, {}, {}))
    assert world.counters._cells == {}


def test_rows_do_not_show_before_their_flush_mark() -> None:
    counters, everything = World().counters, Period.parse("all")
    counters.update(row("s-1", "2026-01-01", 5, {"services": 1}, {}))
    counters.update(row("s-2", "2026-01-01", 5, {"services": 1}, {}, partition=1))
    assert counters.flush(mark(5, partition=1)) == {"s-2", "area-1", "hub"}
    assert counters.read("hub", everything) == {"services": 1}
    assert counters.flush(mark(6)) == {"s-1", "area-1", "hub"}
    assert counters.read("hub", everything) == {"services": 2}


def test_a_row_of_a_lower_version_changes_nothing() -> None:
    world, everything = World(), Period.parse("all")
    world.state(row("s-1", "2026-01-01", 9, {"services": 9}, {}))
    world.counters.update(row("s-1", "2026-01-01", 4, {"services": 4}, {}))
    world.counters.flush(mark(4))
    assert world.counters.read("hub", everything) == {"services": 9}
    assert world.counters.versions() == {("t", 0): (1, 9)}


def test_a_higher_catalogue_takes_out_what_it_no_longer_states() -> None:
    world, everything = World(), Period.parse("all")
    world.state(row("s-1", "2026-01-01", 900, {"services": 9}, {}))
    world.state(row("s-1", "2026-01-02", 901, {"services": 9}, {}))
    world.state(row("s-2", "2026-01-01", 901, {"services": 1}, {}, partition=1))
    world.counters.update(row("s-1", "2026-01-02", 20, {"services": 3}, {}, catalogue=2))
    world.counters.flush(mark(20, catalogue=2))
    assert world.counters.read("hub", everything) == {"services": 4}
