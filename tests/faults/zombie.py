"""Workers that are frozen for so long that others have taken over, and then go on."""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient

from schemas.errors import Fenced
from tests.faults.nodes import Nodes
from tests.faults.proxy import END_TRANSACTION, HOLE, WHOLE, Fault
from tests.system.process import Process, until

MOMENTS = ("at any moment", "passes", "lost", "late")
"""When one is frozen: at any moment, or in the very request that commits a transaction, which then
passes, gets lost, or comes when another has taken over."""
STABLE = "Stable"
FENCED = str(Fenced(""))
"""What is said last by whom another has fenced for good."""


class Zombie:
    """One of two members of `group`; `fates` is what became of it each time it was thawed."""

    def __init__(self, process: Process, group: str) -> None:
        self.process, self.group, self.fates = process, group, Counter[str]()

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self.process.process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Freeze it, or let it go on."""
        assert not self.ended, self.process.said()
        self.process.process.send_signal(number)

    def back(self, nodes: Nodes) -> None:
        """Wait until it is a member again, or has ended as one fenced and been started again."""
        until(lambda: self.ended or self._joined(nodes), self.process.said)
        fate = "rejoined"
        if self.ended:
            assert self.process.process.returncode != 0, self.process.said()
            assert self.process.said().rstrip().endswith(FENCED), self.process.said()
            fate = "ended, fenced"
            self.process.start()
            until(lambda: self._joined(nodes), self.process.said)
        self.process.until_ready()
        self.fates[fate] += 1

    def _joined(self, nodes: Nodes) -> bool:
        return asyncio.run(_members(nodes.cluster.bootstrap, self.group)) == (STABLE, 2)


def freeze(nodes: Nodes, zombies: Sequence[Zombie], chosen: Zombie, moment: str) -> None:
    """Stop all where they stand, at a moment of the chosen one; all are behind the links."""
    if moment != MOMENTS[0]:
        nodes.links.once(END_TRANSACTION, HOLE, of=f"{chosen.group}-".encode())
        until(lambda: nodes.links.struck)
    for zombie in zombies:
        zombie.send(signal.SIGSTOP)
    if moment == "lost":
        nodes.links.set(Fault(cut=True))
    if moment != "late":
        nodes.links.set(WHOLE)


def thaw(nodes: Nodes, zombies: Sequence[Zombie]) -> None:
    """Let all go on; what is late comes before they do."""
    nodes.links.set(WHOLE)
    for zombie in zombies:
        zombie.send(signal.SIGCONT)


async def _members(servers: str, group: str) -> tuple[str, int]:
    """Return the state of a group, and how many members it has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([group])
        _, _, state, _, _, members, *_ = answer.groups[0]
        return state, len(members)
    finally:
        await admin.close()
