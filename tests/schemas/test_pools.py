"""Pools: the nearest county or higher, the one above it, and what an id says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pools import TIERS, above, owner, pool
from schemas.tree import Registry
from tests.schemas.examples import NODE, accepted, event

DAY = "2023-05-06"


def area(registry: Registry, name: str, parent: str | None, **more: object) -> None:
    data = NODE | {"node_id": name, "kind": "area", "parent": parent} | more
    registry.apply(accepted(event("node.opened", name, data)))


def country() -> Registry:
    """Return station yinhu in town xindian, county yubei, city chongqing."""
    registry = Registry()
    area(registry, "chongqing", "hub", tier="city")
    area(registry, "yubei", "chongqing", tier="county")
    area(registry, "xindian", "yubei", tier="town")
    area(registry, "yinhu", "xindian", kind="station")
    return registry


@pytest.mark.parametrize(
    ("node", "serves"),
    [("yinhu", "yubei"), ("xindian", "yubei"), ("yubei", "yubei"), ("chongqing", "chongqing")],
)
def test_the_pool_of_a_node_is_the_nearest_county_or_higher(node: str, serves: str) -> None:
    assert pool(country(), node, DAY) == serves


@pytest.mark.parametrize("tier", sorted(TIERS))
def test_a_station_of_a_high_tier_is_no_pool(tier: str) -> None:
    registry = country()
    area(registry, "big", "yubei", kind="station", tier=tier)
    assert pool(registry, "big", DAY) == "yubei"


def test_without_any_county_the_root_is_the_pool() -> None:
    registry = Registry()
    area(registry, "yinhu", "hub", kind="station")
    assert pool(registry, "yinhu", DAY) == "hub"
    assert pool(registry, "unknown", DAY) == "hub"


def test_the_pools_above_lead_to_the_root_and_end_there() -> None:
    registry = country()
    assert above(registry, "yubei", DAY) == "chongqing"
    assert above(registry, "chongqing", DAY) == "hub"
    assert above(registry, "hub", DAY) is None


def test_a_pool_goes_by_the_parents_of_the_day() -> None:
    registry = country()
    area(registry, "jiangbei", "chongqing", tier="county")
    parents = [{"parent": "yubei", "from": "2020-01-01"}, {"parent": "jiangbei", "from": DAY}]
    area(registry, "moved", None, kind="station", parents=parents)
    assert pool(registry, "moved", "2023-05-05") == "yubei"
    assert pool(registry, "moved", DAY) == "jiangbei"


@given(st.from_regex(r"^[a-z0-9-]{1,64}\Z"), st.from_regex(r"^[A-Za-z0-9._:~-]{1,64}\Z"))
def test_an_id_names_its_pool_whatever_its_local_part_holds(home: str, local: str) -> None:
    assert owner(f"{home}.{local}") == home
    assert owner(f"{home}.{local}.1") == home
