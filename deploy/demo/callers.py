"""Live requests: what stations and enterprises ask for, some of which nobody near can do."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from deploy.demo.event import Event, event
from deploy.demo.firms import INDUSTRIES, Firms, industry
from deploy.demo.places import STATIONS, Station
from deploy.demo.services import staff

EVERY = 6.0
"""Seconds between two requests of the whole province by day."""

WANTED: tuple[tuple[int, dict[str, Any]], ...] = (
    (22, {"elements": ["QM"], "mode": "diagnosis", "minutes": 120}),
    (16, {"elements": ["STD"], "mode": "guidance", "minutes": 90}),
    (12, {"elements": ["TST"], "mode": "testing", "minutes": 60}),
    (9, {"elements": ["IPR"], "mode": "patent", "minutes": 60}),
    (9, {"elements": ["CER"], "mode": "certification", "minutes": 90}),
    (8, {"elements": ["POL"], "mode": "consultation", "minutes": 30}),
    (8, {"elements": ["MET"], "mode": "testing", "minutes": 60}),
    (5, {"elements": ["LIC"], "mode": "licence", "minutes": 60, "urgent": True,
         "needs": [{"kinds": ["department"], "power": "licence"}]}),
    (4, {"elements": ["TST"], "mode": "testing", "minutes": 60,
         "needs": [{"kinds": ["equipment"], "elements": ["TST"], "specialty": "steel"}]}),
    (4, {"elements": ["TEC", "QM"], "mode": "diagnosis", "minutes": 120,
         "needs": [{"kinds": ["expert"], "elements": ["TEC"]},
                   {"kinds": ["expert"], "elements": ["QM"]}]}),
    (3, {"elements": ["BRD"], "mode": "title", "minutes": 60, "budget": 0}),
)  # fmt: skip
"""Weights and demands; metrology, steel and licences are for the city."""


class Callers:
    """Makes requests dated `now`; all its chance is in `rng`, all its time in the arguments."""

    def __init__(self, rng: Random, firms: Mapping[str, Firms]) -> None:
        self._rng, self._firms = rng, firms
        self._due = 0.0
        self._serial = 0

    def step(self, now: datetime, seconds: float) -> Iterator[Event]:
        """Yield what is asked for in the `seconds` before `now`."""
        self._due -= seconds / EVERY
        while self._due <= 0:
            self._due += self._rng.expovariate(1.0)
            yield self._one(self._rng.choice(STATIONS), now)

    def _one(self, station: Station, now: datetime) -> Event:
        self._serial += 1
        weights = [weight for weight, _ in WANTED]
        ((_, demand),) = self._rng.choices(WANTED, weights)
        online = self._rng.random() < 0.4
        about = {
            "channel": "order" if online else self._rng.choice(["walk_in", "visit", "appointment"]),
            "need_by": (now + timedelta(days=self._rng.randint(1, 6))).isoformat(),
        }
        firm = self._rng.choice(self._firms[station.id].all)
        who = {"actor_role": "enterprise", "actor_ref": firm} if online else {}
        return event(
            "request.submitted",
            f"{station.area}.req-{now:%Y%m%d-%H%M%S}-{self._serial}",
            station.id,
            now,
            **({"actor_ref": staff(self._rng, station)} | who),
            enterprise_id=firm,
            demand=demand | about | {"about": f"{INDUSTRIES[industry(firm)]}企业的需求"},
        ) | {"time": now.isoformat(timespec="milliseconds")}
