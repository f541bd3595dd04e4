"""What a newcomer does first: register the tree of nodes, and read a counter."""

from typing import Any

from tests.system import web

STATED = {"occurred_at": "2023-01-01T00:00:00+08:00", "actor_role": "admin", "actor_ref": "a-1"}


def register(url: str, key: str, *stations: str) -> None:
    """Register hub and these stations below it."""
    headers = {"Authorization": f"Bearer {key}"}
    documents = {"hub": {"kind": "hub", "name": "总平台"}} | {
        node: {"kind": "station", "name": node, "parent": "hub"} for node in stations
    }
    for node, document in documents.items():
        body = {"revision": 1, "node_id": node, **document, **STATED}
        answer = web.put(f"{url}/v1/registry/nodes/{node}", json=body, headers=headers)
        assert answer.status_code == 202, answer.text


def measures(url: str, node: str, *names: str, period: str = "all") -> dict[str, Any]:
    """Return the values of these measures."""
    answer = web.get(f"{url}/v1/counters", params={"node": node, "period": period}, timeout=10.0)
    assert answer.status_code == 200, answer.text
    found = answer.json()["measures"]
    return {name: found[name]["value"] for name in names}
