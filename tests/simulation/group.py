"""A group: its members share partitions; whenever one comes or goes, all let go and are dealt anew.

As with Kafka's eager rebalancing: nobody gets anything before everybody has let go, or has been
silent for a session.
"""

from asyncio import Event, Future, get_running_loop
from collections.abc import Sequence
from random import Random
from typing import Protocol

from bus.port import Partition


class Member(Protocol):
    """Somebody who reads for a group; `called` is set when partitions are dealt anew."""

    called: Event


class Group:
    """`waiting` are the members that have let go, and who is told what they get."""

    def __init__(self, places: Sequence[Partition], dice: Random) -> None:
        self._places, self._dice = list(places), dice
        self._members: list[Member] = []
        self._waiting: dict[Member, Future[frozenset[Partition]]] = {}
        self.dealt = 0

    def __contains__(self, member: Member) -> bool:
        return member in self._members

    def call(self) -> None:
        """Deal anew."""
        for member in self._members:
            if member not in self._waiting:
                member.called.set()
        self._deal()

    def leave(self, member: Member) -> None:
        """Go, or be taken to have gone."""
        if member in self._members:
            self._members.remove(member)
            waiting = self._waiting.pop(member, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(frozenset())
            member.called.set()
            self.call()

    async def join(self, member: Member) -> frozenset[Partition]:
        """Wait until all have let go; return what this member gets."""
        member.called.clear()
        future: Future[frozenset[Partition]] = get_running_loop().create_future()
        self._waiting[member] = future
        if member not in self._members:
            self._members.append(member)
            self.call()
        else:
            self._deal()
        return await future

    def _deal(self) -> None:
        if not self._members or len(self._waiting) < len(self._members):
            return
        self.dealt += 1
        self._dice.shuffle(self._places)
        for n, member in enumerate(self._members):
            share = frozenset(self._places[n :: len(self._members)])
            future = self._waiting.pop(member)
            if not future.done():
                future.set_result(share)
