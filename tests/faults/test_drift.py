"""Wrong counters on purpose: everybody is told within moments, and the cure makes them exact."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select, update

import bus
from bus.glance import origin
from bus.state import State
from schemas.reports import CountersAudited
from schemas.topics import COUNTERS
from services.stats.store import _BLOBS, TABLES, _decode, _encode
from tests.faults.conftest import Tell
from tests.stats.running import events
from tests.system import web
from tests.system.load import DAYS, STATIONS, Ledger
from tests.system.people import register
from tests.system.process import Process, processes, until, yizhan
from tests.system.test_kills import agrees, load
from tests.system.test_wall import QUIET

MINE, WRONG = "yinhu.mine", 41
PLACE = STATIONS[0], DAYS[0]


def state(url: str) -> str:
    answer = web.get(f"{url}/v1/counters", params={"node": "hub", "period": "all"}, timeout=10.0)
    return str(answer.json()["drift"])


def drifting(url: str) -> float:
    """How many sources drift, as the metric says."""
    lines = web.get(f"{url}/metrics", timeout=10.0).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("yizhan_drift{"))


def spoil(place: Path) -> None:
    """Let one fact count WRONG times in the state, sealed: as a mistake in the fold would."""
    with State.open(place, TABLES, origin(place) or "") as opened, opened.write() as db:
        found = 0
        for topic, number, end, slots in db.execute(
            select(_BLOBS.c.topic, _BLOBS.c.number, _BLOBS.c.until, _BLOBS.c.slots)
        ).all():
            puts = _decode(slots)
            mine = [put for put in puts if put.subject == MINE]
            if not mine:
                continue
            found += len(mine)
            changed = [put._replace(slot=worse(put.slot)) if put in mine else put for put in puts]
            of = (_BLOBS.c.topic == topic, _BLOBS.c.number == number, _BLOBS.c.until == end)
            db.execute(update(_BLOBS).where(*of).values(slots=_encode(changed)))
        assert found == 1


def worse(slot: Any) -> Any:
    sums = tuple(
        (key, WRONG if key == "services_delivered" else amount) for key, amount in slot.counts.sums
    )
    return slot._replace(counts=slot.counts._replace(sums=sums))


async def told(log: str) -> list[str]:
    """All differences that were ever put on the log."""
    async with bus.connect(log) as opened:
        found = [event.data for event in await events(opened, COUNTERS)]
    reports = [data for data in found if isinstance(data, CountersAudited)]
    return [difference for report in reports for difference in report.differences]


def once(true: Callable[[], bool]) -> float:
    """Wait for a condition; return how many seconds that took."""
    began = time.monotonic()
    until(true)
    return round(time.monotonic() - began, 1)


def restarted(hub: Process, change: Callable[[], None]) -> None:
    assert hub.end() == 0
    change()
    hub.start()
    hub.until_ready()


def badge(page: Page, says: str) -> None:
    expect(page.locator("#audit")).to_contain_text(says, timeout=60_000)


@pytest.mark.timeout(400)
def test_a_wrong_number_is_found_told_everywhere_and_cured_by_a_replay(
    tmp_path: Path, chromium: str, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIZHAN_AUDIT_EVERY", "1")
    hub = Process(tmp_path / "data", "up")
    log = f"sqlite:///{hub.data / 'log.db'}"
    figures: dict[str, object] = {}

    def disturb(ledger: Ledger) -> None:
        until(lambda: ledger.acknowledged > 300 and state(hub.url) == "none")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
            page = browser.new_page()
            page.goto(f"{hub.url}/?lang=en")
            badge(page, "agrees")
            (place,) = hub.data.glob("stats-*.db")
            restarted(hub, lambda: spoil(place))
            figures["seconds until /v1/counters says so"] = once(lambda: state(hub.url) == "found")
            figures["until the metric does"] = once(lambda: drifting(hub.url) >= 1)
            badge(page, "drift found")
            report = yizhan("audit", "--data", str(hub.data), "--json")
            assert (report.returncode, json.loads(report.stdout)["drift"]) == (3, True)

            restarted(hub, lambda: _aside(place))
            figures["until a replay has cured it"] = once(lambda: state(hub.url) == "none")
            badge(page, "agrees")
            assert drifting(hub.url) == 0
            browser.close()

    with processes(hub):
        key = (hub.data / "admin.key").read_text().strip()
        register(hub.url, key, *STATIONS)
        mine = {"id": MINE, "node_id": PLACE[0], "enterprise_id": "ent-1", "elements": ["STD"],
                "mode": "diagnosis", "occurred_at": f"{PLACE[1]}T08:00:00+08:00",
                "actor_role": "staff", "actor_ref": "s-1"}  # fmt: skip
        answer = web.post(
            f"{hub.url}/v1/services", json=mine, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 202, answer.text
        ledger = asyncio.run(load(hub.url, key, disturb))
        ledger.standing[MINE] = mine
        agrees(hub.url, ledger)
    found = [d for d in asyncio.run(told(log)) if " ".join(PLACE) in d]
    sums = [d for d in found if "services_delivered:" in d]
    assert sums
    for difference in sums:
        shown, counted = (int(part.split()[0]) for part in difference.split(": ")[1].split(", "))
        assert shown - counted == WRONG - 1
    said = (tmp_path / f"up-{hub.port}.log").read_text(errors="replace")
    figures["told in the process's log"] = said.count("counters drift")
    # Once by the process that had it, and once by its successor, until what it states anew is out.
    assert 1 <= said.count("counters drift") <= 2
    tell("drift", **figures, acknowledged=ledger.acknowledged)


def _aside(place: Path) -> None:
    for file in place.parent.glob(f"{place.name}*"):
        file.rename(place.parent.parent / file.name)
