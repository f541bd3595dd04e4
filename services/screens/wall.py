"""The document of a wall: everything it shows of a node, with nobody's name in it.

{"node", "day", "now", "complete_to", "silent", "waiting", "drift", "audited_at", "all", "today",
"indicators", "stations", "ranking", "ranking_rule", "ranking_left_out", "trend", "ticker",
"requests", "profile"}: see the methods for their shapes. Times are stamps at +08:00; a day is a
business day.
"""

from datetime import date, timedelta
from typing import Any

from schemas.days import ALL, Period, business_day
from schemas.registry import ROOT, Node
from services.screens.gauges import enterprises, flags, gauges, indicators
from services.screens.measures import Document, measures, scaled
from services.screens.ranking import MEASURE, ranking, rule
from services.screens.requests.funnel import Funnel
from services.screens.stamps import instant, stamp, stamped
from services.screens.ticker import Ticker
from services.screens.trend import HOURS, Trend
from services.screens.views import Views

_WEEK = timedelta(days=7)


class Wall:
    """Makes the documents of all nodes, from the views and what the fact index tells."""

    def __init__(
        self, views: Views, ticker: Ticker, trend: Trend, funnel: Funnel, minimum: int
    ) -> None:
        self._views, self._ticker, self._trend, self._minimum = views, ticker, trend, minimum
        self._funnel = funnel
        self._gauges: dict[tuple[str, str], tuple[int, Document]] = {}

    def document(self, node: str, now: int, *, whole: bool) -> dict[str, Any]:
        """Return the document of a node at a time in milliseconds since 1970.

        Unless it is the `whole` one, what could point to an enterprise is left out.
        """
        day = business_day(instant(now))
        stations = self._views.chronicle.stations(node, day)
        names = {station: self._name(station) for station in stations}
        ranked, left_out = ranking(self._views.counters, names, day[:7], self._minimum)
        return {
            "node": self._node(node, day),
            "day": day,
            "now": stamped(now - now % 1000),
            **self.health(node, day, now),
            "all": self.measures(node, Period.parse(ALL), day, whole=whole),
            "today": self.measures(node, Period.parse(day), day, whole=whole),
            "indicators": indicators(self._views.chronicle.registry.nodes.get(node)),
            "stations": {station: self._station(station, day, now) for station in stations},
            "ranking": ranked,
            "ranking_rule": rule(day[:7], self._minimum),
            "ranking_left_out": left_out,
            "trend": self._hours(node, day, now),
            "ticker": self._news(node, day),
            "requests": self._requests(node, day, now),
            "profile": self._profile(node, day),
        }

    def health(self, node: str, day: str, now: int) -> dict[str, Any]:
        """Return complete_to, silent, waiting, drift, audited_at of a node."""
        views = self._views
        below = views.chronicle.below(node, day)
        health = views.pulse.health(below, views.chronicle.stations(node, day), now)
        drift, audited = views.drift.answer(views.counters.versions())
        return {
            "complete_to": stamp(health.complete_to),
            "silent": health.silent,
            "waiting": health.waiting,
            "drift": drift,
            "audited_at": stamped(audited),
        }

    def measures(self, node: str, period: Period, day: str, *, whole: bool) -> Document:
        """Return a node's measures in a period, with the gauges of a day."""
        version, known = self._gauges.get((node, day), (-1, {}))
        if version != self._views.chronicle.version:
            known = gauges(self._views.chronicle, node, day)
            if len(self._gauges) > _KEPT:
                self._gauges.clear()
            self._gauges[node, day] = self._views.chronicle.version, known
        return measures(self._views.counters.read(node, period), whole=whole) | known

    def _found(self, node: str) -> Node | None:
        return self._views.chronicle.registry.nodes.get(node)

    def _name(self, node: str) -> str:
        found = self._found(node)
        return found.name if found else node

    def _node(self, node: str, day: str) -> dict[str, Any]:
        """Return id, names, kind, and the path from the root down to the node."""
        found = self._found(node)
        path = reversed(self._views.chronicle.registry.path(node, day))
        return {
            "id": node,
            "name": self._name(node),
            "name_en": found and found.name_en,
            "kind": found.kind if found else ROOT,
            "path": [{"id": n, "name": self._name(n)} for n in path],
        }

    def _station(self, station: str, day: str, now: int) -> dict[str, Any]:
        """Return a station's tile: its services, how far it is complete, when it was heard."""
        views, found = self._views, self._found(station)
        parent = views.chronicle.registry.parent(station, day)
        beat = views.pulse.beat(station)
        return {
            "name": self._name(station),
            "name_en": found and found.name_en,
            "kind": found and found.kind,
            "today": views.counters.value(station, day, MEASURE),
            "all": views.counters.value(station, ALL, MEASURE),
            "complete_to": stamp(beat.complete_to) if beat else None,
            "seen": stamped(beat.seen) if beat else None,
            "silent": views.pulse.silent(station, now),
            "parent_name": self._name(parent) if parent else None,
        }

    def _hours(self, node: str, day: str, now: int) -> dict[str, Any]:
        """Return services per hour, today (null for hours to come) and a week earlier."""
        before = week_before(day)
        below = self._views.chronicle.below(node, day)
        today = self._trend.series(below, day)
        hour = hour_of(now)
        return {
            "day": day,
            "before_day": before,
            "today": [today[h] if h <= hour else None for h in range(HOURS)],
            "before": self._trend.series(self._views.chronicle.below(node, before), before),
        }

    def _news(self, node: str, day: str) -> list[dict[str, Any]]:
        nodes = frozenset(self._views.chronicle.below(node, day))
        return [news.row(self._name(news.node)) for news in self._ticker.latest(nodes)]

    def ripen(self, now: int) -> None:
        """See what has become late by now, which touches the documents that say so."""
        self._funnel.ripen(now)

    def _requests(self, node: str, day: str, now: int) -> dict[str, Any]:
        self._funnel.ripen(now)
        return self._funnel.document(self._views.chronicle.below(node, day), day)

    def _profile(self, node: str, day: str) -> dict[str, Any] | None:
        """Return what a station is equipped with; money in 万元. None for hub and areas."""
        found = self._found(node)
        if found is None or found.kind in ("hub", "area"):
            return None
        plain = found.model_dump(include=_PLAIN)
        funds = {name: _money(getattr(found, name)) for name in ("funds_own", "funds_support")}
        caught = {
            kind: enterprises(self._views.chronicle, node, day, kind)
            for kind in ("inside", "radiated")
        }
        return {**caught, **plain, **funds, "flags": flags(found, day)}


_PLAIN = {"staff", "heads", "quality_officers", "floor_m2", "land_mu", "agencies"}
_KEPT = 10_000


def week_before(day: str) -> str:
    """Return the same weekday a week earlier."""
    return (date.fromisoformat(day) - _WEEK).isoformat()


def hour_of(now: int) -> int:
    """Return the hour of the business day at a time in milliseconds."""
    return (now // 3_600_000 + 8) % HOURS


def _money(fen: int | None) -> Any:  # noqa: ANN401  # a number or nothing
    return None if fen is None else scaled("benefit", fen)
