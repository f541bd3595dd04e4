"""The registry as it stands: parents by day, enterprises with their merges."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.slots import Verdict
from schemas.tree import Registry
from tests.schemas.examples import NODE, STATED, accepted, event

DAY = "2023-05-06"


def node(registry: Registry, name: str, **data: Any) -> Verdict:
    document = NODE | {"node_id": name, "parent": None} | data
    return registry.apply(accepted(event("node.opened", name, document)))


def firm(registry: Registry, name: str, into: str | None = None, **data: Any) -> Verdict:
    document = STATED | {"merged_into": into} | data
    return registry.apply(accepted(event("enterprise.registered", name, document)))


def tree(**parents: str) -> Registry:
    registry = Registry()
    for name, parent in parents.items():
        node(registry, name, parent=parent)
    return registry


def since(*intervals: tuple[str, str]) -> list[dict[str, str]]:
    return [{"parent": parent, "from": day} for day, parent in intervals]


def test_a_plain_parent_holds_for_ever() -> None:
    registry = tree(yinhu="yubei", yubei="hub")
    assert registry.path("yinhu", "2000-01-01") == ["yinhu", "yubei", "hub"]
    assert registry.path("yinhu", "2099-12-31") == ["yinhu", "yubei", "hub"]


def test_a_node_has_the_parent_of_the_day() -> None:
    registry = Registry()
    node(registry, "yinhu", parents=since(("2023-01-01", "a"), ("2023-05-06", "b")))
    assert registry.parent("yinhu", "2023-05-05") == "a"
    assert registry.parent("yinhu", "2023-05-06") == "b"
    assert registry.parent("yinhu", "2030-01-01") == "b"


def test_before_the_first_interval_the_first_parent_holds() -> None:
    registry = Registry()
    node(registry, "yinhu", parents=since(("2023-01-01", "a"), ("2023-05-06", "b")))
    assert registry.parent("yinhu", "2000-01-01") == "a"


def test_dated_parents_win_over_the_plain_one() -> None:
    registry = Registry()
    node(registry, "yinhu", parent="a", parents=since(("2023-01-01", "b")))
    assert registry.parent("yinhu", DAY) == "b"


def test_the_root_and_what_nobody_registered_have_no_parent() -> None:
    registry = tree(yinhu="lost")
    node(registry, "hub", kind="hub", parent="yinhu")
    assert registry.parent("hub", DAY) is None
    assert registry.path("unknown", DAY) == ["unknown"]
    assert registry.path("yinhu", DAY) == ["yinhu", "lost"]


def test_a_circle_is_cut_below_the_root() -> None:
    registry = tree(b="c", c="a", a="b", z="b", y="a", selfish="selfish")
    assert registry.path("a", DAY) == ["a", "hub"]
    assert registry.path("b", DAY) == ["b", "c", "a", "hub"]
    assert registry.path("c", DAY) == ["c", "a", "hub"]
    assert registry.path("z", DAY) == ["z", "b", "c", "a", "hub"]
    assert registry.path("y", DAY) == ["y", "a", "hub"]
    assert registry.path("selfish", DAY) == ["selfish", "hub"]
    assert registry.below("b", DAY) == ["b", "z"]
    assert registry.below("hub", DAY) == ["a", "b", "c", "hub", "selfish", "y", "z"]


def test_two_nodes_put_below_each_other_stay_below_the_root_whichever_came_first() -> None:
    documents = {"a": "b", "b": "a"}
    for order in ("ab", "ba"):
        registry = tree(a="hub", b="hub", under="b")
        for name in order:
            assert node(registry, name, parent=documents[name], revision=2) is Verdict.STANDS
        assert registry.path("under", DAY) == ["under", "b", "a", "hub"]
        assert registry.below("hub", DAY) == ["a", "b", "hub", "under"]
        assert registry.covers("a", "b", DAY)
        assert not registry.covers("b", "a", DAY)


def test_a_ring_holds_every_circle_through_a_node() -> None:
    registry = tree(b="c", c="a", a="b", z="b", free="hub", selfish="selfish")
    for one in "abc":
        assert registry.ring(one) == {"a", "b", "c"}
    assert registry.ring("z") == registry.ring("free") == registry.ring("unknown") == set()
    assert registry.ring("selfish") == {"selfish"}
    node(registry, "free", parents=since(("2023-01-01", "hub"), ("2024-01-01", "b")), revision=2)
    node(registry, "c", parents=since(("2023-01-01", "a"), ("2024-06-01", "free")), revision=2)
    assert registry.ring("free") == {"a", "b", "c", "free"}


def test_a_circle_on_one_day_is_none_on_another() -> None:
    registry = tree(b="a")
    node(registry, "a", parents=since(("2023-01-01", "hub"), ("2024-01-01", "b")))
    node(registry, "c", parents=since(("2023-01-01", "b"), ("2024-06-01", "c")))
    assert registry.path("c", "2023-06-01") == ["c", "b", "a", "hub"]
    assert registry.path("c", "2024-01-01") == ["c", "b", "a", "hub"]
    assert registry.path("a", "2024-01-01") == ["a", "hub"]
    assert registry.path("c", "2024-06-01") == ["c", "hub"]
    for day in ("2023-06-01", "2024-01-01", "2024-06-01"):
        assert registry.below("hub", day) == ["a", "b", "c", "hub"]


def test_a_scope_covers_itself_and_what_lay_below_it_that_day() -> None:
    registry = tree(yubei="hub")
    node(registry, "yinhu", parents=since(("2023-01-01", "yubei"), ("2024-01-01", "anlu")))
    assert registry.covers("yubei", "yinhu", "2023-06-01")
    assert not registry.covers("yubei", "yinhu", "2024-06-01")
    assert registry.covers("yinhu", "yinhu", DAY)
    assert not registry.covers("yinhu", "yubei", DAY)
    assert registry.covers("hub", "never-heard-of", DAY)


def test_below_lists_a_node_and_its_nodes_by_id() -> None:
    registry = tree(z="m", a="m", m="hub", other="hub")
    assert registry.below("m", DAY) == ["a", "m", "z"]
    assert registry.below("unknown", DAY) == ["unknown"]


PARENTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdefh"))


@given(PARENTS, st.sampled_from("abcdef"), st.sampled_from("abcdef"))
def test_what_lies_below_is_what_has_it_above(
    parents: dict[str, str], one: str, other: str
) -> None:
    registry = tree(**parents)
    path = registry.path(one, DAY)
    assert len(set(path)) == len(path)
    known = one in registry.nodes or one == other
    assert (one in registry.below(other, DAY)) == (known and other in path)
    assert registry.covers(other, one, DAY) == (other in path)


DATED = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.sampled_from([*"abcdefh", "hub"]), min_size=1, max_size=3),
)


@given(DATED, st.integers(0, 3))
def test_on_every_day_the_parents_are_a_tree_that_loses_nothing(
    parents: dict[str, list[str]], year: int
) -> None:
    registry, day = Registry(), f"202{year}-05-06"
    for name, above in parents.items():
        dated = since(*((f"202{i}-01-01", parent) for i, parent in enumerate(above)))
        node(registry, name, parents=dated)
    for name in parents:
        path = registry.path(name, day)
        assert len(set(path)) == len(path)
        assert path[1:] == registry.path(path[1], day)
        assert path[-1] in {"hub", "h"} or path[-1] not in parents
        assert (name in registry.below("hub", day)) == (path[-1] == "hub")
        assert all(registry.covers(above, name, day) for above in path)


def test_merges_are_followed_to_their_end() -> None:
    registry = Registry()
    firm(registry, "a", into="b")
    firm(registry, "b", into="c")
    firm(registry, "c")
    assert [registry.resolve(name) for name in "abc"] == ["c", "c", "c"]


def test_an_enterprise_may_be_merged_into_one_that_is_not_yet_known() -> None:
    registry = Registry()
    firm(registry, "a", into="later")
    assert registry.resolve("a") == "later"
    firm(registry, "later", into="last")
    assert registry.resolve("a") == "last"
    assert registry.resolve("nobody") == "nobody"


def test_in_a_circle_of_merges_each_stays_itself() -> None:
    registry = Registry()
    firm(registry, "a", into="b")
    firm(registry, "b", into="a")
    firm(registry, "self", into="self")
    firm(registry, "outside", into="a")
    assert [registry.resolve(n) for n in ("a", "b", "self", "outside")] == [
        "a", "b", "self", "outside",
    ]  # fmt: skip


def test_a_merge_that_is_taken_back_leaves_two() -> None:
    registry = Registry()
    firm(registry, "a", into="b")
    assert firm(registry, "a", revision=2) is Verdict.STANDS
    assert registry.resolve("a") == "a"


def test_the_newest_revision_of_a_document_stands_whatever_came_last() -> None:
    registry = Registry()
    assert node(registry, "yinhu", parent="b", revision=2) is Verdict.STANDS
    assert node(registry, "yinhu", parent="a", revision=1) is Verdict.SUPERSEDED
    assert node(registry, "yinhu", parent="b", revision=2) is Verdict.REPEAT
    assert node(registry, "yinhu", parent="c", revision=2) is Verdict.CONFLICT
    assert registry.parent("yinhu", DAY) == "b"


def test_all_types_about_a_node_speak_about_one_slot() -> None:
    registry = tree(yinhu="a")
    moved = NODE | {"parent": "b", "revision": 2}
    assert registry.apply(accepted(event("node.moved", "yinhu", moved))) is Verdict.STANDS
    assert registry.parent("yinhu", DAY) == "b"
    assert len(registry.standing) == 1


def test_a_node_and_an_enterprise_of_the_same_id_are_two() -> None:
    registry = tree(same="hub")
    assert firm(registry, "same") is Verdict.STANDS
    assert (len(registry.nodes), len(registry.enterprises)) == (1, 1)
