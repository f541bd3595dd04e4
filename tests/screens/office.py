"""Screens with a small county: who asks, who serves, and whose key is shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bus.keys import Role
from bus.port import Position, Record
from schemas.topics import ASSIGNMENTS
from tests.screens.decided import Pool, read, resource
from tests.screens.made import Served, enterprise, node, serving

HUB = [
    node("hub", None, kind="hub"),
    node("city", kind="area", tier="city"),
    node("area", "city", kind="area", tier="county"),
    node("s-1", "area"),
    node("s-2", "area"),
    enterprise("e-1", name="Secret Ltd"),
    enterprise("e-2", name="Other Ltd"),
    resource("expert.registered", "area.li", label="Li of the county", elements=["STD"]),
    resource("agency.admitted", "city.lab", label="City lab", kind="lab", elements=["TST"]),
]


def holds(served: Served, scope: str = "hub", subject: str | None = None) -> None:
    """Show a key from now on."""
    token = served.keys.issue(scope, Role.READER, subject=subject)
    served.http.headers["Authorization"] = f"Bearer {token}"


@asynccontextmanager
async def office(folder: Path, **settings: Any) -> AsyncIterator[Served]:
    """Run screens in a county whose registry is known, with a key for everything."""
    async with serving(folder, **settings) as served:
        after = await served.publish(*HUB)
        await served.get("/v1/counters", after=after)
        holds(served)
        yield served


async def asks(served: Served, *records: Record) -> list[Position]:
    """Publish asks; return where they lie."""
    await served.publish(*records)
    return list(served.last)


async def judged(served: Served, pool: Pool, asked: list[Position], *decisions: Record) -> None:
    """Publish decisions, and that these asks are decided on."""
    number = asked[0].partition
    await served.publish(*decisions, pool.advanced(number, asked[-1]))
    assert all(place.topic == ASSIGNMENTS.name for place in served.last)
    assert {place.partition for place in served.last} == {number}


async def taken(served: Served, pool: Pool, *asked: Record) -> Position:
    """Submit requests and have them taken in; return where the last submission lies."""
    places = await asks(served, *asked)
    await judged(served, pool, places, *(pool.submit(one) for one in asked))
    for place in places:
        subject = read(asked[places.index(place)]).subject
        await served.get(f"/v1/requests/{subject}", after=str(place))
    return places[-1]
