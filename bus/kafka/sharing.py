"""How the members of a group share what it reads: of each topic alike, keeping what they had."""

from collections.abc import Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment as Share,
)
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberMetadata as Told,
)


class Sharing(StickyPartitionAssignor):  # type: ignore[misc]  # aiokafka comes without types
    """aiokafka's sticky assignor, asked topic by topic.

    Asked for all at once it sees only how many partitions each member has: one of three may then
    get none of the topics that are most of the work. What is left over of each topic falls to the
    same members. It keeps a member's last assignment on the class, so that each consumer needs a
    class of its own.
    """

    @classmethod
    def own(cls) -> type["Sharing"]:
        """Return a class for one consumer."""
        return type(cls.__name__, (cls,), {})

    @classmethod
    def assign(cls, cluster: ClusterMetadata, members: Mapping[str, Told]) -> dict[str, Share]:
        """Share all topics that `members` read."""
        topics = {topic for told in members.values() for topic in told.subscription}
        shares: dict[str, list[tuple[str, list[int]]]] = {member: [] for member in members}
        for topic in sorted(topics):
            asked = {member: cls._about(topic, told) for member, told in members.items()}
            for member, share in super().assign(_Only(cluster, topic), asked).items():
                shares[member] += share.assignment
        return {member: Share(cls.version, share, b"") for member, share in shares.items()}

    @classmethod
    def _about(cls, topic: str, told: Told) -> Told:
        """Return what a member told, as far as it is about one topic."""
        had = cls.parse_member_metadata(told)
        partitions = [partition for partition in had.partitions if partition.topic == topic]
        reads = [topic] if topic in told.subscription else []
        return cls._metadata(reads, partitions, had.generation)


class _Only:
    """A cluster that has one topic."""

    def __init__(self, cluster: ClusterMetadata, topic: str) -> None:
        self._cluster, self._topic = cluster, topic

    def topics(self) -> set[str]:
        return {self._topic}

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        found: set[int] | None = self._cluster.partitions_for_topic(topic)
        return found
