"""Clocks of stations that are wrong: counted on the day that the rule says, or refused by it.

The rule: what happened counts on its business day, the date in Asia/Shanghai, whenever it arrives;
it lies in the years 2000 to 2099 and at most 24 hours ahead of the hub's clock. When it was
recorded, the log says.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bus import sqlite
from bus.keys import Keys
from tests.faults.conftest import Tell
from tests.intake.station import ACTOR, Clock, Station, node, open_station, service
from tests.system.people import measures
from tests.system.process import Process, processes, until

HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2024, 2, 28, 16, tzinfo=UTC)
"""The hub's clock at its first hour: the leap day 2024-02-29 begins at +08:00."""
ZONES = ("+08:00", "Z", "-12:00", "+14:00", "+05:45", "-00:00")
EDGES: tuple[tuple[Any, str], ...] = (
    ("2024-02-29T00:00:00+08:00", "2024-02-29"),
    ("2024-02-29T23:59:59.999+08:00", "2024-02-29"),
    ("2024-02-29T23:59:59.999999999+08:00", "2024-02-29"),
    ("2024-02-28T16:00:00Z", "2024-02-29"),
    ("2024-02-28T15:59:59.999Z", "2024-02-28"),
    ("2024-02-28T04:00:00-12:00", "2024-02-29"),
    ("2024-02-29T06:00:00+14:00", "2024-02-29"),
    ("2024-02-29T05:59:59+14:00", "2024-02-28"),
    ("2000-01-01T00:00:00+08:00", "2000-01-01"),
    ("2000-02-29T12:00:00+08:00", "2000-02-29"),
    ("2020-02-29T12:00:00Z", "2020-02-29"),
    ("1970-01-01T00:00:00Z", "greater_than_equal"),
    ("1999-12-31T23:59:59.999+08:00", "greater_than_equal"),
    ("0001-01-01T00:00:00Z", "greater_than_equal"),
    ("9999-12-31T23:59:59Z", "less_than"),
    ("2100-01-01T00:00:00+08:00", "less_than"),
    ("2099-12-31T23:59:59+08:00", "future"),
    ("2025-02-28T12:00:00+08:00", "future"),
    ("2023-02-29T12:00:00+08:00", "datetime_from_date_parsing"),
    ("1900-02-29T12:00:00+08:00", "datetime_from_date_parsing"),
    ("2023-04-31T12:00:00+08:00", "datetime_from_date_parsing"),
    ("2016-12-31T23:59:60Z", "datetime_from_date_parsing"),
    ("2017-01-01T07:59:60+08:00", "datetime_from_date_parsing"),
    ("2024-02-28T24:00:00+08:00", "datetime_from_date_parsing"),
    ("2024-02-28T12:00:00+24:00", "datetime_from_date_parsing"),
    ("2024-02-28T12:00:00", "string_pattern_mismatch"),
    ("2024-02-28 12:00:00+08:00", "string_pattern_mismatch"),
    ("2024-02-28", "string_pattern_mismatch"),
    ("1709092800", "string_pattern_mismatch"),
    (1709092800, "string_type"),
    (None, "string_type"),
)
"""What a clock may say at the hub's first hour, with the day it counts on, or the rule."""


def business_day(time: datetime) -> str:
    """Say on which day it is, without a look at how the project does it."""
    return f"{time.astimezone(UTC) + 8 * HOUR:%Y-%m-%d}"


def written(time: datetime, zone: str) -> str:
    """Write a time as a clock of that zone shows it."""
    sign = -1 if zone.startswith("-") else 1
    hours, minutes = (0, 0) if zone == "Z" else map(int, zone[1:].split(":"))
    shown = time + sign * timedelta(hours=hours, minutes=minutes)
    return f"{shown:%Y-%m-%dT%H:%M:%S}.{shown.microsecond // 1000:03d}{zone}"


class Book:
    """What must have been counted, and how often each rule was what refused."""

    def __init__(self, station: Station) -> None:
        self._station, self._serial = station, 0
        self.days: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()

    async def state(self, occurred_at: object, expected: str) -> None:
        """State a service; `expected` is its day, or the rule that refuses it."""
        self._serial += 1
        said = service(id=f"yinhu.s-{self._serial}", occurred_at=occurred_at)
        answer = await self._station.post("/v1/services", said)
        if expected[0].isdigit():
            assert answer.status_code == 202, (occurred_at, answer.text)
            self.days[expected] += 1
        else:
            self.refused(answer, "occurred_at", expected)

    async def beat(self, complete_to: object, rule: str | None) -> None:
        """Say that a station is there and complete up to a time."""
        said = {"node_id": "yinhu", "complete_to": complete_to, "waiting": 0}
        answer = await self._station.post("/v1/heartbeats", said)
        if rule is None:
            assert answer.status_code == 202, answer.text
        else:
            self.refused(answer, "complete_to", rule)

    async def ask(self, occurred_at: object, rule: str | None) -> None:
        """Submit a request."""
        self._serial += 1
        said = {"id": f"hub.r-{self._serial}", "node_id": "yinhu", "enterprise_id": "ent-1"}
        wanted = {"demand": {"elements": ["STD"], "mode": "diagnosis"}, "occurred_at": occurred_at}
        answer = await self._station.post("/v1/requests", said | wanted | ACTOR)
        if rule is None:
            assert answer.status_code == 202, answer.text
        else:
            self.refused(answer, "occurred_at", rule)

    def refused(self, answer: httpx.Response, field: str, rule: str) -> None:
        """Check that one field and one rule are named."""
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        (error,) = answer.json()["errors"]
        assert (error["field"], error["rule"]) == (field, rule)
        assert error["detail"]
        self.rules[f"{field}: {rule}"] += 1


async def hours(book: Book, clock: Clock) -> int:
    """Let a day pass while clocks are wrong by up to a day and a little; return how many times."""
    count = 0
    for hour in range(24):
        clock.now = MIDNIGHT + hour * HOUR
        for wrong in range(-25, 26):
            time = clock.now + wrong * HOUR
            expected = "future" if wrong > 24 else business_day(time)
            await book.state(written(time, ZONES[count % len(ZONES)]), expected)
            count += 1
        for wrong in (-24, 24, 25):
            rule = "future" if wrong > 24 else None
            await book.beat(written(clock.now + wrong * HOUR, "+08:00"), rule)
            await book.ask(written(clock.now + wrong * HOUR, "Z"), rule)
            count += 2
        late = clock.now + 24 * HOUR + timedelta(milliseconds=1)
        await book.state(written(late, "+08:00"), "future")
        count += 1
    return count


async def edges(book: Book, clock: Clock) -> int:
    """State what lies on an edge, or over it."""
    clock.now = MIDNIGHT + 23 * HOUR
    for occurred_at, expected in EDGES:
        await book.state(occurred_at, expected)
        rule = None if expected[0].isdigit() else expected
        await book.beat(occurred_at, rule)
        await book.ask(occurred_at, rule)
    return 3 * len(EDGES)


async def stated(data: Path) -> tuple[Book, int]:
    """State it all to an intake whose clock is the test's own."""
    clock = Clock()
    clock.now = MIDNIGHT
    async with sqlite.connect(str(data / "log.db")) as log:
        with Keys.open(data / "keys.db") as keys:
            async with open_station(log, keys, clock) as station:
                await station.put("/v1/registry/nodes/yinhu", node("yinhu", "hub"))
                book = Book(station)
                return book, await hours(book, clock) + await edges(book, clock)


@pytest.mark.timeout(400)
def test_whatever_clocks_say_it_counts_on_the_day_of_the_rule_or_is_refused_by_its_name(
    tmp_path: Path, tell: Tell
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    book, count = asyncio.run(stated(data))
    hub = Process(data, "up")
    with processes(hub):
        for day, services in _days(book):
            shown = measures(hub.url, "yinhu", "services_delivered", period=day)
            assert shown == {"services_delivered": services}, day
        total = measures(hub.url, "hub", "services_delivered")
        assert total == {"services_delivered": book.days.total()}
        assert hub.end() == 0
    tell("times", said=count, counted=book.days.total(), days=len(book.days))
    for rule, times in sorted(book.rules.items()):
        tell(f"refused by {rule}", times=times)


def _days(book: Book) -> Iterator[tuple[str, int]]:
    """Yield every day that counts something, and its neighbours."""
    for day in sorted(book.days):
        here = datetime.fromisoformat(day)
        for near in (here - 24 * HOUR, here, here + 24 * HOUR):
            name = f"{near:%Y-%m-%d}"
            if name >= "2000":
                yield name, book.days[name]


@pytest.mark.timeout(400)
def test_offers_expire_and_cases_move_by_the_hubs_clock_whatever_a_station_says(
    tmp_path: Path, tell: Tell
) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub), ExitStack() as opened:
        key = (hub.data / "admin.key").read_text().strip()
        bearer = {"Authorization": f"Bearer {key}"}
        http = opened.enter_context(httpx.Client(base_url=hub.url, headers=bearer, timeout=20.0))
        now = datetime.now(UTC)
        early = written(now - 48 * HOUR, "+08:00")
        http.put("/v1/registry/nodes/yinhu", json=node("yinhu", "hub", revision=1))
        wrongs = (-8760, -24, -1, 0, 1, 23)
        for n, wrong in enumerate(wrongs):
            expert = {"node_id": "hub", "elements": ["STD"], "label": "标准专家", "revision": 1}
            said = http.put(
                f"/v1/registry/experts/hub.e-{n}", json=expert | ACTOR | {"occurred_at": early}
            )
            assert said.status_code == 202, said.text
            request = {
                "id": f"hub.r-{n}",
                "node_id": "yinhu",
                "enterprise_id": f"ent-{n}",
                "demand": {"elements": ["STD"], "mode": "diagnosis"},
                "occurred_at": written(now + wrong * HOUR, "+08:00"),
            }
            asked = http.post("/v1/requests", json=request | ACTOR)
            assert asked.status_code == 202, asked.text
        offers: dict[int, dict[str, Any]] = {}
        until(lambda: _offered(http, wrongs, offers), hub.said)
        ends = []
        for n, wrong in enumerate(wrongs):
            offered = datetime.fromisoformat(offers[n]["offered_at"])
            assert now - HOUR / 60 <= offered <= datetime.now(UTC), wrong
            ends.append(datetime.fromisoformat(offers[n]["expires_at"]))
            since = datetime.fromisoformat(http.get(f"/v1/requests/hub.r-{n}").json()["since"])
            assert since <= datetime.now(UTC), wrong
        assert datetime.now(UTC) < min(ends) <= max(ends) < min(ends) + HOUR / 60, ends
        assert hub.end() == 0
    spread = (max(ends) - min(ends)).total_seconds()
    tell("offers end together", clocks=len(wrongs), seconds_apart=spread)


def _offered(
    http: httpx.Client, wrongs: tuple[int, ...], offers: dict[int, dict[str, Any]]
) -> bool:
    for n in range(len(wrongs)):
        found = http.get("/v1/offers", params={"resource": f"hub.e-{n}"}).json()["offers"]
        offers.update({n: found[0]} if found else {})
    return len(offers) == len(wrongs)
