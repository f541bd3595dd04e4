"""When something was recorded, the hub's clock says, whatever a station writes about times.

A station states when it happened (`occurred_at`), when it wrote that down (CloudEvents' `time`),
and may say when it recorded it (`recordedtime`). The hub goes by none of them: what the log noted
when it took the event is what people read as `logged`, and what `as_of` asks for.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.faults.conftest import Tell
from tests.intake.station import BATCH, event, service
from tests.system.people import register
from tests.system.process import Process, processes, yizhan

MOMENT = timedelta(milliseconds=1)
FIRST, LAST = "2000-01-01T00:00:00+08:00", "2099-12-31T23:59:59+08:00"
HOURS = (-24 * 365 * 20, -24, -1, 0, 1, 23)
"""By how much the clocks of stations are wrong."""


class Posted(NamedTuple):
    """Where events came to lie, posted between two moments by the clock of this test."""

    first: datetime
    last: datetime
    positions: list[str]


@pytest.mark.timeout(300)
def test_what_is_accepted_bears_the_hubs_time_and_as_of_goes_by_it(
    servers: str | None, tmp_path: Path, tell: Tell
) -> None:
    log = f"kafka://{servers}" if servers else f"sqlite:///{tmp_path / 'log.db'}"
    made = yizhan("topics", "create", "--bus", log)
    assert made.returncode == 0, made.stderr
    hub = Process(tmp_path / "data", "up", bus=log)
    with processes(hub), ExitStack() as opened:
        key = (hub.data / "admin.key").read_text().strip()
        register(hub.url, key, "yinhu")
        bearer = {"Authorization": f"Bearer {key}"}
        http = opened.enter_context(httpx.Client(base_url=hub.url, headers=bearer, timeout=20.0))
        stated = _post(http, 1, [f"ent-{n}" for n in range(len(HOURS))])
        known = _logged(http, 1, stated)
        corrected = _post(http, 2, ["ent-0"] * len(HOURS))
        again = _logged(http, 2, corrected)
        times = (min(known) - MOMENT, max(known), min(again) - MOMENT, max(again))
        each = len(HOURS)
        assert [_then(http, at) for at in times] == [(0, 0), (each, each), (each, each), (each, 1)]
        assert hub.end() == 0
    after = max(max(known) - stated.first, max(again) - corrected.first)
    tell("recorded by the hub's clock", statements=2 * each, seconds_after=after.total_seconds())


def _post(http: httpx.Client, revision: int, enterprises: Sequence[str]) -> Posted:
    """State, or correct, a service by each clock."""
    first, events = datetime.now(UTC), []
    for n, (hours, enterprise) in enumerate(zip(HOURS, enterprises, strict=True)):
        wrong = (first + timedelta(hours=hours)).isoformat(timespec="milliseconds")
        said = service(revision=revision, enterprise_id=enterprise, occurred_at=wrong)
        lies = {"time": (FIRST, LAST)[n % 2], "recordedtime": (LAST, FIRST, wrong)[n % 3]}
        events.append(event("service.delivered", f"yinhu.s-{n}", said, **lies))
    answer = http.post("/v1/events", content=json.dumps(events), headers={"Content-Type": BATCH})
    told = answer.json()
    assert [one["status"] for one in told] == [202] * len(events), answer.text
    return Posted(first, datetime.now(UTC), [one["position"] for one in told])


def _logged(http: httpx.Client, revision: int, posted: Posted) -> list[datetime]:
    """Return when the hub recorded a revision of each service: while it was posted."""
    found = []
    for n, position in enumerate(posted.positions):
        asked = {"after": position, "wait": "10"}
        answer = http.get(f"/v1/facts/service.delivered/yinhu.s-{n}", params=asked)
        assert answer.status_code == 200, answer.text
        (entry,) = [one for one in answer.json()["timeline"] if one["revision"] == revision]
        found.append(datetime.fromisoformat(entry["logged"]))
        assert posted.first - MOMENT <= found[-1] <= posted.last, (HOURS[n], entry)
    return found


def _then(http: httpx.Client, time: datetime) -> tuple[int, int]:
    """Return how many services, of how many enterprises, were known at a time."""
    asked = {"node": "yinhu", "period": "all", "as_of": time.isoformat()}
    answer = http.get("/v1/counters", params=asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()["measures"]
    return told["services_delivered"]["value"], told["enterprises_served"]["value"]
