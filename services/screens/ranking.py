"""The fair ranking: stations by services in the month, of those with a sample large enough."""

from typing import Any

from services.screens.counters import Counters

_SHOWN = 20
MEASURE = "services_delivered"


def ranking(
    counters: Counters, names: dict[str, str], month: str, minimum: int
) -> tuple[list[dict[str, Any]], int]:
    """Return the ranked stations, and how many are left out for too small a sample.

    `names` are the stations by id; `share` compares a station with the first, from 0 to 1.
    """
    values = {station: counters.value(station, month, MEASURE) for station in names}
    enough = [s for s in names if values[s] >= max(minimum, 1)]
    best = sorted(enough, key=lambda s: (-values[s], s))
    top = values[best[0]] if best else 1
    rows = [
        {"id": s, "name": names[s], "value": values[s], "share": round(values[s] / top, 4)}
        for s in best[:_SHOWN]
    ]
    return rows, len(names) - len(enough)


def rule(month: str, minimum: int) -> dict[str, Any]:
    """Return the rule that `ranking` follows."""
    return {
        "measure": MEASURE,
        "unit": "次",
        "period": month,
        "minimum": max(minimum, 1),
        "order": "value",
    }
