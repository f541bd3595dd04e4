"""Gauges: what the registry says about a node and all below it on a day. Nothing here is counted
from facts, and indicators are passed on as a node reported them, never summed.
"""  # noqa: D205

from collections import Counter
from typing import Any

from schemas.registry import Flag, Node
from services.screens.chronicle import Chronicle
from services.screens.measures import Document


def gauges(chronicle: Chronicle, node: str, day: str) -> Document:
    """Return nodes by kind and flag, staff, and the enterprises in the parks and around them."""
    found = chronicle.registry.nodes
    stations = [found[n] for n in chronicle.stations(node, day)]
    return {
        "nodes": {"value": len(stations), "unit": "个", "by": _counted(stations, day)},
        "staff": {"value": sum(s.staff or 0 for s in stations), "unit": "人"},
        "enterprises_inside": {"value": enterprises(chronicle, node, day, "inside"), "unit": "家"},
        "enterprises_radiated": {
            "value": enterprises(chronicle, node, day, "radiated"), "unit": "家"
        },
    }  # fmt: skip


def enterprises(chronicle: Chronicle, node: str, day: str, kind: str) -> int:
    """Return how many different enterprises lie inside (or are radiated from) nodes below."""
    resolve = chronicle.registry.resolve
    return len({resolve(e) for n in chronicle.below(node, day) for e in chronicle.caught(n, kind)})


def indicators(node: Node | None) -> dict[str, Any]:
    """Return what a node reported of itself: {name: {"value", "unit"}}."""
    reported = node.indicators if node else ()
    return {i.name: {"value": i.value, "unit": i.unit} for i in reported}


def flags(node: Node, day: str) -> list[str]:
    """Return the flags of a node on a day."""
    return sorted({flag.flag for flag in node.flags if _holds(flag, day)})


def _holds(flag: Flag, day: str) -> bool:
    return (flag.since is None or flag.since <= day) and (flag.until is None or day <= flag.until)


def _counted(stations: list[Node], day: str) -> dict[str, dict[str, int]]:
    kinds = Counter(station.kind for station in stations)
    flagged = Counter(flag for station in stations for flag in flags(station, day))
    return {"kind": dict(sorted(kinds.items())), "flag": dict(sorted(flagged.items()))}
