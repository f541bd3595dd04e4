"""What screens keep on disk and serve from it: counters of the past, facts, requests."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

import httpx

from schemas.decisions import Moved
from tests.system import web
from tests.system.load import DAYS, STATIONS, Ledger
from tests.system.process import until

NAMES = ("services_delivered", "enterprises_served")
AT_MOST = {"limit": "1000"}
OPENED = 200
"""At most so many requests are looked at one by one."""


class Stand(NamedTuple):
    """Where a request stands: its state, how often it has moved, its node."""

    state: str
    revision: int
    node: str


def headers(key: str) -> dict[str, str]:
    """Return what shows a key."""
    return {"Authorization": f"Bearer {key}"}


def then(url: str, node: str, period: str = "all") -> dict[str, int]:
    """Return what the fact index counts, which answers for the past."""
    asked = {"node": node, "period": period, "as_of": "2099-01-01T00:00:00+08:00"}
    answer = web.get(f"{url}/v1/counters", params=asked, timeout=30.0)
    assert answer.status_code == 200, answer.text
    return {name: answer.json()["measures"][name]["value"] for name in NAMES}


def behind(url: str, key: str) -> dict[str, int]:
    """Return the revision of every fact that the number of services at the hub consists of."""
    path = "counters/hub/all/services_delivered/facts"
    return {fact["subject"]: fact["revision"] for fact in _rows(url, key, path, "facts")}


def listed(url: str, key: str) -> dict[str, dict[str, Any]]:
    """Return every request at the hub and below, by its id."""
    return {one["id"]: one for one in _rows(url, key, "requests", "requests", node="hub")}


def indexed(url: str, key: str, ledger: Ledger) -> int:
    """Wait until the index shows at every node and day what the ledger says, and the same facts.

    Returns how many cells and facts there are. The facts are read once: there may be many.
    """
    cells = [(node, day) for node in ("hub", *STATIONS) for day in ("", *DAYS)]
    for node, day in cells:
        expected = ledger.measures(node, day)
        until(lambda n=node, d=day, e=expected: then(url, n, d or "all") == e)  # type: ignore[misc]
    standing = {subject: fact["revision"] for subject, fact in ledger.standing.items() if fact}
    found = behind(url, key)
    differ = [s for s in {*found, *standing} if found.get(s) != standing.get(s)]
    told = [f"{s} r{found.get(s)}, not r{standing.get(s)}" for s in sorted(differ)[:5]]
    assert not differ, f"{len(differ)} of {len(standing)} facts: {told}"
    return len(cells) * len(NAMES) + len(standing)


def told(url: str, key: str, requests: Mapping[str, Moved], dice: Random) -> int:
    """Wait until every request is listed where the log has it; look at some one by one.

    Returns how many are listed: referrals are not, but can be looked at.
    """
    wanted = {name: _stand(moved) for name, moved in requests.items() if moved.kind == "request"}
    until(lambda: _listed(url, key) == wanted, lambda: _wrong(_listed(url, key), wanted))
    with httpx.Client(headers=headers(key), timeout=30.0) as http:
        for name in dice.sample(sorted(requests), min(OPENED, len(requests))):
            answer = http.get(f"{url}/v1/requests/{name}")
            assert answer.status_code == 200, answer.text
            _looked_at(name, answer.json(), requests[name])
    return len(wanted)


def _looked_at(name: str, shown: dict[str, Any], moved: Moved) -> None:
    """Check a request that is opened, and that its timeline has each of its moves in order."""
    assert Stand(shown["state"], shown["revision"], shown["node"]) == _stand(moved), name
    moves = [
        entry["revision"]
        for entry in shown["timeline"]
        if entry["type"] == "request.moved" and entry["request_id"] == name
    ]
    assert moves == list(range(1, moved.revision + 1)), f"{name} moved by {moves}"


def _listed(url: str, key: str) -> dict[str, Stand]:
    found = listed(url, key)
    return {name: Stand(one["state"], one["revision"], one["node"]) for name, one in found.items()}


def _stand(moved: Moved) -> Stand:
    return Stand(moved.state, moved.revision, moved.node_id)


def _wrong(shown: dict[str, Stand], wanted: dict[str, Stand]) -> str:
    names = sorted(name for name in {*shown, *wanted} if shown.get(name) != wanted.get(name))
    lines = [f"{name}: {shown.get(name)}, not {wanted.get(name)}" for name in names[:5]]
    return f"{len(names)} of {len(wanted)} requests: {lines}"


def _rows(url: str, key: str, path: str, rows: str, **asked: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pages."""
    wanted: dict[str, str] = AT_MOST | asked
    with httpx.Client(headers=headers(key), timeout=30.0) as http:
        while True:
            answer = http.get(f"{url}/v1/{path}", params=wanted)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            yield from page[rows]
            if page["next"] is None:
                return
            wanted["cursor"] = page["next"]
