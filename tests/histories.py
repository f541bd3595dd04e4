"""Random histories of facts, and what they must add up to.

A history is made from plain dictionaries and so is its expected total: nothing of the fold, the
catalogue or the recount is used. Each record gets one to four revisions, which may move it to
another station, day or enterprise, name its time in another zone, void it, and state it again;
every statement may come several times, and all of them in any order.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from bus.port import Record
from schemas.codec import encode
from schemas.topics import RESULTS

ZONES = (8, 0, -11, 14, 5.5)
DAYS = 40


@dataclass
class Expected:
    """Totals by (node, measure key): sums, and sets of enterprises."""

    sums: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    sets: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))


def event(kind: str, subject: str, data: dict[str, Any], serial: int = 0) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{serial}",
        "source": f"/nodes/{data['node_id']}",
        "type": f"yizhan.{kind}",
        "subject": subject,
        "time": "2024-01-01T00:00:00+08:00",
        "data": data,
    }


def record(attributes: dict[str, Any]) -> Record:
    subject = attributes["subject"]
    return Record(RESULTS, subject, subject.encode(), encode(attributes))


class History:
    """One history over its own stations `<name>-0..2` with enterprises `<name>-e0..9`."""

    def __init__(self, name: str, rng: Random, records: int = 12) -> None:
        self.name, self._rng = name, rng
        self.stations = [f"{name}-{n}" for n in range(3)]
        self.expected = Expected()
        self.events: list[dict[str, Any]] = []
        for serial in range(records):
            self._record(f"{self.stations[0]}.{serial}")
        repeated = [e for e in self.events for _ in range(rng.choice((1, 1, 2, 3)))]
        rng.shuffle(repeated)
        self.events = repeated

    def _record(self, subject: str) -> None:
        make = self._rng.choice(
            (_service, _visit, _found, _solved, _activity, _title, _outcome, None)
        )
        if make is None:
            self._benefit(subject)
            return
        kind, _ = make(self)
        last = self._revisions(kind, subject, lambda: make(self)[1])
        if last is not None:
            _expect(self.expected, kind, last)

    def _revisions(self, kind: str, subject: str, make: Any) -> dict[str, Any] | None:
        """State 1 to 4 revisions; return what stands in the end, None when it is voided."""
        last: dict[str, Any] | None = None
        revision = 0
        for _ in range(self._rng.randint(1, 4)):
            revision += self._rng.randint(1, 3)
            if revision > 1 and self._rng.random() < 0.25:
                last = None
                data = self.stated(revision) | {"target_type": f"yizhan.{kind}", "reason": "wrong"}
                self.events.append(event("record.voided", subject, data, len(self.events)))
            else:
                last = self.stated(revision) | make()
                self.events.append(event(kind, subject, last, len(self.events)))
        return last

    def _benefit(self, subject: str) -> None:
        claim = self._revisions("benefit.claimed", subject, lambda: _claim(self))
        there = {
            step
            for step in ("confirmed", "audited", "withdrawn")
            if self._rng.random() < 0.4
            and self._revisions(f"benefit.{step}", subject, dict) is not None
        }
        if claim is None or "withdrawn" in there:
            return
        state = "claimed"
        if "confirmed" in there:
            state = "audited" if "audited" in there else "confirmed"
        key = f"benefit;basis={claim['basis']};kind={claim['kind']};state={state}"
        self.expected.sums[claim["node_id"], key] += claim["amount"]

    def stated(self, revision: int) -> dict[str, Any]:
        zone = timezone(timedelta(hours=self._rng.choice(ZONES)))
        minutes = self._rng.randrange(DAYS * 24 * 60)
        time = datetime(2024, 2, 10, tzinfo=timezone(timedelta(hours=8)))
        return {
            "revision": revision,
            "node_id": self._rng.choice(self.stations),
            "occurred_at": (time + timedelta(minutes=minutes)).astimezone(zone).isoformat(),
            "actor_role": "staff",
            "actor_ref": "s-1",
        }

    def enterprise(self) -> str:
        return f"{self.name}-e{self._rng.randrange(10)}"

    def pick(self, *values: Any) -> Any:
        return self._rng.choice(values)


def _service(h: History) -> tuple[str, dict[str, Any]]:
    data = {
        "enterprise_id": h.enterprise(),
        "elements": h.pick([], ["STD"], ["STD", "TST"], ["QM", "QM"]),
        "mode": h.pick("consultation", "diagnosis"),
        "persons": h.pick(1, 2, 30),
    }
    return "service.delivered", data


def _visit(h: History) -> tuple[str, dict[str, Any]]:
    return "visit.completed", {"enterprise_id": h.enterprise(), "demands": []}


def _found(h: History) -> tuple[str, dict[str, Any]]:
    return "problem.found", {"product": h.pick("bricks", "gears", None)}


def _solved(h: History) -> tuple[str, dict[str, Any]]:
    return "problem.solved", {"enterprise_id": h.enterprise()}


def _activity(h: History) -> tuple[str, dict[str, Any]]:
    data = {
        "kind": h.pick("training", "open_day"),
        "sessions": h.pick(1, 2),
        "enterprises": [h.enterprise() for _ in range(h.pick(0, 1, 4))],
        "persons": h.pick(0, 7, 30),
    }
    return "activity.held", data


def _title(h: History) -> tuple[str, dict[str, Any]]:
    return "title.filed", {"enterprise_id": h.enterprise(), "title": h.pick("city_award", "giant")}


def _outcome(h: History) -> tuple[str, dict[str, Any]]:
    kind = h.pick("improved", "licence")
    return "outcome.recorded", {"enterprise_id": h.enterprise(), "kind": kind, "days": 30}


def _claim(h: History) -> dict[str, Any]:
    return {
        "enterprise_id": h.enterprise(),
        "kind": h.pick("direct", "indirect"),
        "amount": h.pick(1, 123_456_789),
        "basis": h.pick("measured", "estimated"),
    }


def _expect(  # noqa: C901  # one arm for each type of fact
    expected: Expected, kind: str, data: dict[str, Any]
) -> None:
    node, sums, sets = data["node_id"], expected.sums, expected.sets
    match kind:
        case "service.delivered":
            sums[node, "services_delivered"] += 1
            sets[node, "enterprises_served"].add(data["enterprise_id"])
            if data["mode"] == "consultation":
                sums[node, "consult_person_times"] += data["persons"]
        case "visit.completed":
            sums[node, "visits"] += 1
            sets[node, "enterprises_visited"].add(data["enterprise_id"])
        case "problem.found" | "problem.solved":
            sums[node, f"problems_{kind[8:]}"] += 1
        case "activity.held":
            sums[node, "activities_held"] += data["sessions"]
            sums[node, "activity_persons"] += data["persons"]
            sets[node, "activity_enterprises"].update(data["enterprises"])
            if data["kind"] == "training":
                sets[node, "enterprises_trained"].update(data["enterprises"])
        case "title.filed":
            sets[node, "title_filings"].add(data["enterprise_id"])
        case "outcome.recorded" if data["kind"] == "improved":
            sets[node, "enterprises_improved"].add(data["enterprise_id"])
        case "outcome.recorded":
            sums[node, "licence_days"] += data["days"]
