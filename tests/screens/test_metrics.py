"""What screens tells Prometheus is what it would show."""

from pathlib import Path

from schemas.topics import RESULTS
from tests.screens.decided import Pool, submitted
from tests.screens.events import listening
from tests.screens.made import (
    SOURCE,
    TODAY,
    Served,
    audit,
    beat,
    mark,
    node,
    row,
    service,
    serving,
    until,
)
from tests.screens.office import office
from tests.screens.test_lag import stop

TOPIC = {"topic": RESULTS.name}


def of(served: Served, name: str, **labels: str) -> float | None:
    return served.metrics.get_sample_value(f"yizhan_screens_{name}", labels)


async def test_silent_stations_are_told_out_of_all_that_are_open(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        heard = await served.publish(
            node("hub", None, kind="hub"), node("s-1"), node("s-2"), beat("s-1")
        )
        await served.get("/v1/counters", after=heard)
        assert (of(served, "stations"), of(served, "silent")) == (2, 1)


async def test_facts_are_uncounted_until_a_flush_mark_covers_them(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.publish(node("hub", None, kind="hub"), node("s-1"), service("s-1.a"))
        (_, _, fact) = served.last
        await until(lambda: of(served, "uncounted", **TOPIC) == 1)
        assert of(served, "flushed_seconds") == 0
        source = SOURCE._replace(number=fact.partition)
        await served.publish(row("s-1", TODAY, 1, {"services_delivered": 1}), mark(1, source))
        await until(lambda: of(served, "uncounted", **TOPIC) == 0)
        assert of(served, "flushed_seconds") == served.clock()


async def test_asks_are_undecided_until_a_decision_covers_them(tmp_path: Path) -> None:
    async with office(tmp_path) as served:
        await until(lambda: of(served, "undecided") == 0)
        asked = submitted("area.r")
        await served.publish(asked)
        (place,) = served.last
        await until(lambda: of(served, "undecided") == 1)
        await served.publish(Pool().advanced(place.partition, place))
        await until(lambda: of(served, "undecided") == 0)


async def test_the_answer_about_drift_is_the_one_that_the_badge_gives(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await until(lambda: of(served, "drift", answer="unknown") == 1)
        for report, answer in ((audit(1), "none"), (audit(1, "1 shown, 2 counted"), "found")):
            heard = await served.publish(node("hub", None, kind="hub"), mark(1), report)
            await served.get("/v1/counters", after=heard)
            told = {one: of(served, "drift", answer=one) for one in ("none", "found", "unknown")}
            assert {one for one, holds in told.items() if holds} == {answer}


async def test_lag_is_what_a_view_has_not_read_of_what_the_log_holds(tmp_path: Path) -> None:
    async with serving(tmp_path, lag_every=0.02) as served:
        await served.publish(node("hub", None, kind="hub"))
        await until(lambda: served.screens.ready() == {})
        assert of(served, "lag", view="counters") == 0
        await stop("screens-follow")
        await served.publish(node("s-1"), node("s-2"))
        await until(lambda: of(served, "lag", view="counters") == 2)
        assert of(served, "lag", view="facts") == 0


async def test_streams_are_counted_while_they_last(tmp_path: Path) -> None:
    async with serving(tmp_path, port=True) as served:
        heard = await served.publish(node("hub", None, kind="hub"))
        await served.get("/v1/counters", after=heard)
        async with listening(served, node="hub"):
            await until(lambda: of(served, "streams") == 1)
        await until(lambda: of(served, "streams") == 0)
