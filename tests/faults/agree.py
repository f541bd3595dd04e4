"""What must hold in the end, seen from outside: on the log, in counters, and on a wall."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import bus
from deploy.log import records
from schemas.codec import Event, decode
from schemas.reports import CountersAudited
from schemas.topics import COUNTERS, REQUESTS, RESULTS
from tests.faults.served import NAMES, indexed, told
from tests.faults.site import Site
from tests.matching.reader import Found, check, read
from tests.system import web
from tests.system.load import DAYS, STATIONS, Ledger
from tests.system.process import until, yizhan
from tests.system.test_kills import shows

Ask = tuple[str, str]
"""The type of an ask and its id."""


def whole(
    site: Site, screens: str, ledger: Ledger, asks: set[Ask], dice: Random
) -> dict[str, object]:
    """Check all that there is, on the log and on screens, once nobody asks any more; tell figures.

    Matching must still run: what it has not decided is wrong.
    """
    found = asyncio.run(decided(site.bus))
    figures: dict[str, object] = {
        "acknowledged": ledger.acknowledged,
        "sent_again": ledger.repeated,
        "statements": asyncio.run(kept(site.bus, ledger)),
        "cells": agrees(screens, ledger),
        "indexed": indexed(screens, site.key, ledger),
        "asks_acknowledged": len(asks),
        "asks_on_the_log": asyncio.run(heard(site.bus, asks)),
        "decided": found.figures["asks"],
        "offers": found.figures["match.offered"],
        "requests": told(screens, site.key, found.requests, dice),
    }
    states = Counter(case.state for case in found.requests.values() if case.kind == "request")
    until(lambda: _funnel(screens) == states, lambda: f"{_funnel(screens)}, not {states}")
    figures["recounts_meanwhile"] = audited(site.bus)
    return figures


def _funnel(url: str) -> Counter[str]:
    rows = snapshot(url)["requests"]["funnel"]
    return Counter({row["state"]: row["count"] for row in rows})


def agrees(url: str, ledger: Ledger) -> int:
    """Wait until screens show at every node and day what the ledger says; return how many cells."""
    cells = [(node, day) for node in ("hub", *STATIONS) for day in ("", *DAYS)]
    for node, day in cells:
        shows(url, node, day or "all", ledger.measures(node, day))
    assert snapshot(url)["all"]["services_delivered"]["value"] == len(
        [fact for fact in ledger.standing.values() if fact]
    )
    return len(cells) * len(NAMES)


def snapshot(url: str, node: str = "hub") -> dict[str, Any]:
    """Return the document with which the live stream of a node begins."""
    with web.stream("GET", f"{url}/v1/live", params={"node": node}, timeout=10.0) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                return dict(json.loads(line.removeprefix("data:")))
    raise AssertionError("a live stream without a snapshot")


def audited(log: str) -> int:
    """Check that a recount from offset 0 finds nothing, and that none ever has, whoever made it.

    Returns how many sources were recounted by those who count. They tell only what they hold, of
    what is published, and up to a mark: a hand-over is no reason to find something.
    """
    report = yizhan("audit", "--bus", log, "--json")
    assert report.returncode == 0, report.stdout + report.stderr
    assert json.loads(report.stdout)["drift"] is False
    reports = asyncio.run(_recounted(log))
    differ = [report for report in reports if report.differences]
    assert not differ, f"{len(differ)} of {len(reports)} recounts found something: {differ[:2]}"
    return len(reports)


async def _recounted(log: str) -> list[CountersAudited]:
    """Return all that was told of recounts; rows, of which there are many, are not decoded."""
    found: list[CountersAudited] = []
    async with bus.connect(log) as opened:
        async for _, stored in records(opened, COUNTERS):
            if (stored.key or b"").startswith(b"audit/"):
                event = decode(stored.value)
                assert isinstance(event, Event)
                assert isinstance(event.data, CountersAudited)
                found.append(event.data)
    return found


async def kept(log: str, ledger: Ledger) -> int:
    """Check that all that was acknowledged is on the log, each subject's revisions in order.

    A revision may come again later, as whoever got no answer repeats it. Returns how many
    statements there are.
    """
    async with bus.connect(log) as opened:
        last: dict[str, int] = {}
        found: set[tuple[str, int]] = set()
        for records in await read(opened, RESULTS):
            for subject, revision in _statements(records):
                if (subject, revision) not in found:
                    assert revision > last.get(subject, 0), f"{subject} r{revision} came late"
                    last[subject] = revision
                    found.add((subject, revision))
    missing = ledger.statements - found
    assert not missing, f"{len(missing)} acknowledged, but not on the log: {sorted(missing)[:5]}"
    return len(found)


async def heard(log: str, asks: set[Ask]) -> int:
    """Check that every acknowledged ask is on the log, and says the same wherever it is repeated.

    Returns how many asks there are.
    """
    said: dict[Ask, set[str]] = defaultdict(set)
    async with bus.connect(log) as opened:
        for records in await read(opened, REQUESTS):
            for _, event in records:
                assert event is not None
                said[event.kind.name, event.subject].add(event.content)
    missing = asks - said.keys()
    assert not missing, f"{len(missing)} acknowledged, but not on the log: {sorted(missing)[:5]}"
    two = sorted(ask for ask, contents in said.items() if len(contents) > 1)
    assert not two, f"{len(two)} said something else when they were repeated: {two[:5]}"
    return len(said)


def _statements(records: list[tuple[int, Event | None]]) -> Iterator[tuple[str, int]]:
    for _, event in records:
        assert event is not None
        yield event.subject, getattr(event.data, "revision")  # noqa: B009  # of any fact


async def decided(log: str) -> Found:
    """Check all that matching has decided, by an independent reader of the log."""
    async with bus.connect(log) as opened:
        return await check(opened, datetime.now(UTC))
