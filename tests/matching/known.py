"""What a matcher's book knows, as plain data that can be compared."""

from typing import Any

from services.matching.book import Book

_NAMES = ("cases", "offers", "ended", "answered", "queue", "unmatched", "positions", "now")


def content(book: Book) -> dict[str, Any]:
    """Return what is in a book."""
    return {name: getattr(book, name) for name in _NAMES} | {"booked": book.diary.booked}


def reserved(known: dict[str, Any]) -> None:
    """Check that what is booked is what living assignments book, and nothing else."""
    living = sorted(
        (m.id, m.start, m.end, a) for a, o in known["offers"].items() for m in o.members
    )
    booked = sorted((who, *one) for who, all_ in known["booked"].items() for one in all_)
    assert living == booked, f"reserved: {booked}, but living are {living}"
