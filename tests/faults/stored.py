"""A data folder with a history, as kill -9 left it, and what its hub must show afterwards."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.served import NAMES, behind, headers, listed, then
from tests.system.load import DAYS, STATIONS, Client, Ledger
from tests.system.meanwhile import meanwhile
from tests.system.people import STATED, measures, register
from tests.system.process import Process, processes, until

EXPERT = {"node_id": "hub", "elements": ["STD"], "label": "标准专家"}
DEMAND = {"enterprise_id": "ent-1", "demand": {"elements": ["STD"], "mode": "diagnosis"}}
ASKED = {"actor_role": "staff", "actor_ref": "s-1"}


@dataclass
class History:
    """Copies of one folder: `older`, `left` by a kill with much to fold, and `shut` in peace."""

    root: Path
    ledger: Ledger = field(default_factory=Ledger)
    requests: dict[str, Any] = field(default_factory=dict)

    @property
    def copies(self) -> dict[str, Path]:
        """The folders by name."""
        return {name: self.root / name for name in ("older", "left", "shut")}

    def key(self) -> str:
        """The administrator's key."""
        return (self.root / "data" / "admin.key").read_text().strip()

    def shown(self, hub: Process) -> int:
        """Check all that a hub shows now, at once, against the ledger; return how many numbers."""
        places = [(node, day) for node in ("hub", *STATIONS) for day in ("", *DAYS)]
        for node, day in places:
            expected = self.ledger.measures(node, day)
            assert measures(hub.url, node, *NAMES, period=day or "all") == expected, (node, day)
            if not day:
                assert then(hub.url, node) == expected, node
        assert behind(hub.url, self.key()) == {
            subject: fact["revision"] for subject, fact in self.ledger.standing.items() if fact
        }
        assert requests(hub, self.key()) == self.requests
        return 2 * len(NAMES) * len(places) + len(self.ledger.standing) + len(self.requests)


def history(root: Path, facts: int) -> History:
    """Run a hub through two loads of so many facts, with requests, killed after each."""
    made, name = History(root), "older"
    hub = Process(root / "data", "up")
    for turn in range(2):
        with processes(hub):
            if not turn:
                register(hub.url, made.key(), *STATIONS)
                _tell(hub.url, made.key(), "PUT", "registry/experts/hub.li", EXPERT)
            ask(hub.url, made.key(), turn)
            asyncio.run(_load(hub.url, made, f"t{turn}", facts))
            expected = made.ledger.measures()
            until(lambda e=expected: _settled(hub, made, e), hub.said)  # type: ignore[misc]
            hub.kill()
            shutil.copytree(hub.data, root / name)
            name = "left"
    with processes(hub):
        assert hub.end() == 0
    shutil.copytree(hub.data, root / "shut")
    return made


async def _load(url: str, made: History, name: str, facts: int) -> None:
    loop = asyncio.get_running_loop()
    stop, goal = asyncio.Event(), made.ledger.acknowledged + facts

    def enough() -> None:
        until(lambda: made.ledger.acknowledged >= goal)
        loop.call_soon_threadsafe(stop.set)

    async with asyncio.TaskGroup() as tasks:
        for n in range(4):
            client = Client(lambda: url, made.key(), f"{name}-{n}", made.ledger, 40)
            tasks.create_task(client.run(stop))
        tasks.create_task(meanwhile(enough))


def _settled(hub: Process, made: History, expected: dict[str, int]) -> bool:
    if not offered(hub.url, made.key(), 1):
        return False
    made.requests = requests(hub, made.key())
    shown = measures(hub.url, "hub", *NAMES), then(hub.url, "hub")
    return shown == (expected, expected)


def ask(url: str, key: str, turn: int) -> None:
    """Let two experts come and two requests, each turn: all that ever came will be offered."""
    for n in range(2):
        body = {"id": f"hub.r-{turn}-{n}", "node_id": "yinhu", **DEMAND, **ASKED}
        _tell(url, key, "PUT", f"registry/experts/hub.e-{turn}-{n}", EXPERT)
        _tell(url, key, "POST", "requests", body)


def offered(url: str, key: str, least: int) -> bool:
    """Whether at least so many requests are listed, and all of them are offered."""
    states = [request["state"] for request in listed(url, key).values()]
    return len(states) >= least and {*states} == {"offered"}


def _tell(url: str, key: str, method: str, path: str, body: dict[str, Any]) -> None:
    answer = httpx.request(
        method, f"{url}/v1/{path}", json={**STATED, **body}, headers=headers(key), timeout=10.0
    )
    assert answer.status_code == 202, answer.text


def requests(hub: Process, key: str) -> dict[str, Any]:
    """Return each request's state and how often it moved."""
    kept = ("state", "revision", "node", "since", "position")
    return {name: {k: one.get(k) for k in kept} for name, one in listed(hub.url, key).items()}
