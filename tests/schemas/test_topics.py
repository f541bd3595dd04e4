"""Topics: declared once, and where a record belongs."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import REGISTRY, RESULTS, TOPICS, Kept, Topic, named
from tests.schemas.documents import TEXT

PUBLIC = """
yizhan.registry: FOREVER, one partition
yizhan.requests: FOREVER
yizhan.assignments: FOREVER
yizhan.referrals: FOREVER
yizhan.results: FOREVER
yizhan.heartbeats: COMPACTED_WEEK
yizhan.counters: COMPACTED
yizhan.dead-letters: YEAR
"""


def test_the_public_topics_and_how_long_they_are_kept() -> None:
    found = [f"{t.name}: {t.kept.name}{'' if t.spread else ', one partition'}" for t in TOPICS]
    assert found == PUBLIC.split("\n")[1:-1]


def test_names_are_unique_and_lead_to_their_topics() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert all(named(topic.name) is topic for topic in TOPICS)
    with pytest.raises(KeyError):
        named("yizhan.nothing")


@given(TEXT, st.integers(1, 400))
def test_a_partition_is_the_crc32_of_the_route_modulo_n(route: str, partitions: int) -> None:
    assert RESULTS.partition(route, partitions) == crc32(route.encode("utf-8")) % partitions
    assert REGISTRY.partition(route, partitions) == 0


@given(st.sampled_from(TOPICS), st.integers(0, 399))
def test_a_route_that_is_a_number_is_the_partition(topic: Topic, number: int) -> None:
    assert topic.partition(number, 400) == number


def test_partitions_never_move() -> None:
    """These are where records lie in logs that exist."""
    assert [RESULTS.partition(f"yinhu.{n}", 12) for n in range(6)] == [7, 5, 3, 5, 6, 4]
    assert RESULTS.partition("123456789", 2**32) == 0xCBF43926


@pytest.mark.parametrize(
    ("kept", "compacted", "days"),
    [
        (Kept.FOREVER, False, None),
        (Kept.COMPACTED, True, None),
        (Kept.COMPACTED_WEEK, True, 7),
        (Kept.YEAR, False, 365),
    ],
)
def test_how_long_records_stay(kept: Kept, *, compacted: bool, days: int | None) -> None:
    topic = Topic("t", kept)
    assert (topic.kept.compacted, topic.kept.days) == (compacted, days)
