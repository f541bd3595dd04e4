"""What a run must have come to, once it is healed and at rest."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bus.port import Partition
from schemas.topics import ASSIGNMENTS, REFERRALS, REQUESTS, Topic
from services.matching.book import Book
from tests.matching import reader
from tests.matching.known import content, reserved
from tests.simulation import facts, indexed, letters
from tests.simulation.clients import Clients
from tests.simulation.events import read
from tests.simulation.intake import clock
from tests.simulation.link import Link
from tests.simulation.log import Log
from tests.simulation.matching import Matcher
from tests.simulation.process import Process
from tests.simulation.screens import ALL, Screen

if TYPE_CHECKING:
    from tests.simulation.world import World


async def decided(world: "World") -> None:
    """Hold all decisions against the log, then against who takes over from its beginning."""
    link = Link(world.log)
    try:
        await reader.check(link, clock(), read)
    except AssertionError as error:
        raise AssertionError(f"decisions: {error}") from error
    count = world.log.partitions(REQUESTS)
    await world.until("every partition is held", lambda: len(_books(world)) == count)
    books = _books(world)
    for process in world.judges:
        process.ending = True
        process.kill(None)
    for book in books.values():
        reserved(content(book))
    ends = _ends(world, ASSIGNMENTS, REFERRALS)
    heir = Matcher("heirs")
    process = Process(world.log, "heir", heir.run)
    process.start()
    world.processes.append(process)
    await world.until(
        "somebody has taken over", lambda: heir.worker is not None and not heir.worker.ready()
    )
    await asyncio.sleep(0.5)
    assert heir.worker is not None
    for number, source in heir.worker.sources.items():
        before, after = content(books[number]), content(source.book)
        assert before == after, f"takeover: {number}: {_differing(before, after)}"
    assert _ends(world, ASSIGNMENTS, REFERRALS) == ends, "takeover: something was decided again"


def _books(world: "World") -> dict[int, Book]:
    workers = [one.worker for one in world.matchers if one.worker is not None]
    return {
        n: s.book for worker in workers for n, s in worker.sources.items() if s.leads and s.sure
    }


def _ends(world: "World", *topics: Topic) -> dict[Partition, int]:
    names = {topic.name for topic in topics}
    return {p: tape.end for p, tape in world.log.tapes.items() if p.topic in names}


async def agree(world: "World") -> None:
    """Hold what is shown, here and by a fresh screen, against all that was acknowledged."""
    world.shown.whole()
    wrong = letters.expected(world.log) ^ letters.written(world.log)
    assert not wrong, f"letters: {sorted(wrong)}"
    fresh, told = await _fresh(world), list(facts.expected(world.stations))
    for screen in (fresh, *world.screens):
        shown = {node: screen.views.counters.read(node, ALL) for node in world.stations.above}
        for node, key, value in told:
            found = shown[node].get(key, 0)
            assert found == value, f"ledger: {node} {key}: {found} shown, {value} acknowledged"
    for screen in world.screens:
        if screen.state is not None:
            indexed.agrees(screen.state, world.log, world.stations)
        assert screen.views.counters._cells == fresh.views.counters._cells, (
            "screens: one that has run for long differs from a fresh one"
        )


async def _fresh(world: "World") -> Screen:
    """Return a screen that begins now and has read everything."""
    screen = Screen()
    link = Link(world.log)
    running = world.alone(screen.run(link))
    long = world.screens[0].views.read
    await world.until(
        "a fresh screen has read the log",
        lambda: all(
            screen.views.read.at(place) >= tape.shown
            for place, tape in world.log.tapes.items()
            if long.at(place)
        ),
    )
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return screen


def _differing(one: dict[str, Any], other: dict[str, Any]) -> str:
    return "; ".join(f"{k}: {one[k]} before, {other[k]} after" for k in one if one[k] != other[k])


def kept(log: Log, clients: Clients) -> None:
    """Everything acknowledged is in the log, and after what was acknowledged before it was sent."""
    posts = {post.body: post for post in reversed(clients.acknowledged)}
    for tape in log.tapes.values():
        latest = 0.0
        for line in tape.lines:
            post = posts.pop(line.value or b"", None)
            if post is not None:
                assert post.ended >= latest, f"order: {post.body.decode()} was there first"
                latest = max(latest, post.began)
    for body in posts:
        raise AssertionError(f"lost: acknowledged, but not in the log: {body.decode()}")
