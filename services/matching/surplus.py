"""Bookings that a resource has no room for any more, since there are fewer of it than before."""

from datetime import datetime

from services.matching.book import Book
from services.matching.diary import Booking
from services.matching.supply import Supply
from services.matching.times import Span, both, crowded, instant

OPEN = frozenset({"offered", "committed"})
"""States in which what is booked can still be released."""


def surplus(book: Book, supply: Supply, resource: str) -> list[str]:
    """Return the assignments to release, so that who was there first, or has begun, stays."""
    known, bookings = supply.find(resource), book.diary.of(resource)
    if known is None or not crowded(map(_span, bookings), known.capacity + 1):
        return []

    def turn(one: Booking) -> tuple[bool, datetime, str]:
        offer = book.offers[one.assignment]
        state = book.cases[offer.request_id].state
        return (state in OPEN, offer.offered_at, one.assignment)

    kept: list[Span] = []
    found: list[str] = []
    for one in sorted(bookings, key=turn):
        if turn(one)[0] and both([_span(one)], crowded(kept, known.capacity)):
            found.append(one.assignment)
        else:
            kept.append(_span(one))
    return found


def _span(booking: Booking) -> Span:
    return (instant(booking.start), instant(booking.end))
