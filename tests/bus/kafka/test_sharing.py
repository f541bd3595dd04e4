"""Members of a group share each topic alike, and keep what they had."""

from collections.abc import Mapping

import pytest

from bus.kafka.sharing import Sharing
from schemas.topics import TOPICS

PARTITIONS = {topic.name: range(12 if topic.spread else 1) for topic in TOPICS}
Shares = Mapping[str, set[tuple[str, int]]]


class Cluster:
    """What a member knows of its cluster."""

    def topics(self) -> set[str]:
        return set(PARTITIONS)

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(PARTITIONS[topic])


class Group:
    """The members of a group and what they hold."""

    def __init__(self) -> None:
        self.members: dict[str, type[Sharing]] = {}

    def of(self, *names: str) -> Shares:
        """Let these be the members, the first of whom leads; return what each holds now."""
        self.members = {name: self.members.get(name) or Sharing.own() for name in names}
        told = {name: member.metadata(PARTITIONS) for name, member in self.members.items()}
        shares = self.members[names[0]].assign(Cluster(), told)
        for name, member in self.members.items():
            member.on_assignment(shares[name])
        return {name: set(shares[name].partitions()) for name in names}


def everything() -> list[tuple[str, int]]:
    return sorted((topic, number) for topic in PARTITIONS for number in PARTITIONS[topic])


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 13])
def test_each_partition_has_one_member_and_each_topic_is_shared_alike(count: int) -> None:
    group = Group()
    for among in range(1, count + 1):
        shares = group.of(*(f"member-{n}" for n in range(among)))
        assert sorted(one for share in shares.values() for one in share) == everything()
        for topic in PARTITIONS:
            sizes = [sum(place[0] == topic for place in share) for share in shares.values()]
            assert max(sizes) - min(sizes) <= 1, (topic, sizes)


def test_nothing_moves_between_those_who_stay() -> None:
    group = Group()
    alone = group.of("b")
    both = group.of("a", "b")
    three = group.of("c", "a", "b")
    less = group.of("a", "c")
    assert both["b"] < alone["b"]
    assert all(three[name] < both[name] for name in ("a", "b"))
    assert all(three[name] < less[name] for name in ("a", "c"))
