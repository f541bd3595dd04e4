"""Bookings that a resource cannot keep: it has gone, or there are fewer of it than before."""

from datetime import datetime

from schemas.decisions import State
from services.matching.book import Book
from services.matching.diary import Booking
from services.matching.present import able, present
from services.matching.supply import Supply
from services.matching.times import Span, both, crowded, instant

OPEN = frozenset({"offered", "committed"})
"""States in which what is booked can still be released."""


def gone(book: Book, supply: Supply, resource: str) -> list[str]:
    """Return the assignments to release because a member cannot serve in them any more."""
    found: list[str] = []
    for one in book.diary.of(resource):
        offer = book.offers[one.assignment]
        demand = book.cases[offer.request_id].demand
        stays = all(
            present(supply, m) and able(supply, demand, n, m)
            for n, m in enumerate(offer.members)
            if m.id == resource
        )
        if _state(book, one) in OPEN and not stays:
            found.append(one.assignment)
    return found


def surplus(book: Book, supply: Supply, resource: str) -> list[str]:
    """Return the assignments to release, so that who was there first, or has begun, stays."""
    known, bookings = supply.find(resource), book.diary.of(resource)
    if known is None or not crowded(map(_span, bookings), known.capacity + 1):
        return []

    def turn(one: Booking) -> tuple[bool, datetime, str]:
        offered = book.offers[one.assignment].offered_at
        return (_state(book, one) in OPEN, offered, one.assignment)

    kept: list[Span] = []
    found: list[str] = []
    for one in sorted(bookings, key=turn):
        if turn(one)[0] and both([_span(one)], crowded(kept, known.capacity)):
            found.append(one.assignment)
        else:
            kept.append(_span(one))
    return found


def _state(book: Book, booking: Booking) -> State:
    return book.cases[book.offers[booking.assignment].request_id].state


def _span(booking: Booking) -> Span:
    return (instant(booking.start), instant(booking.end))
