"""The judge: decides about one partition's requests. Pure: no clock, broker, file or randomness."""

from collections.abc import Sequence
from datetime import datetime

from schemas.codec import Event
from schemas.topics import REFERRALS
from services.matching import asking, clock, offering, pairing, referring
from services.matching.book import Book, Said
from services.matching.rules import Rules
from services.matching.sitting import Sitting
from services.matching.supply import Supply
from services.matching.surplus import gone, surplus


def decide(
    book: Book, supply: Supply, inputs: Sequence[Event], now: datetime, rules: Rules
) -> list[Said]:
    """Judge what came in, do what the clock asks for, and hold one round of matching.

    Returns what was decided, in order; `book` has taken it in already. `now` never goes back.
    """
    sitting = Sitting(book, supply, max(now, book.now), rules)
    for event in inputs:
        hear = referring.hear if event.kind.topic is REFERRALS else asking.hear
        hear(sitting, event)
    clock.strike(sitting)
    _revise(sitting)
    pairing.match(sitting)
    return sitting.said


def _revise(sitting: Sitting) -> None:
    """Release what was booked with somebody who has gone since; wake those who wait for supply."""
    book, supply = sitting.book, sitting.supply
    if book.seen == supply.version:
        return
    changed, booked = supply.since(book.seen or 0), set(book.diary.booked)
    touched = booked if book.seen is None else booked & changed
    if book.seen is None or not changed.isdisjoint(supply.registry.nodes):
        book.freed.update(book.cases[request].pool for request in book.unmatched)
    if book.seen is not None:  # else all of them are woken by their pools
        book.freed |= changed
    book.seen = supply.version
    for resource in sorted(touched):
        for which in gone(book, supply, resource):
            offering.release(sitting, which, resource)
        for which in surplus(book, supply, resource):
            offering.release(sitting, which, resource)
