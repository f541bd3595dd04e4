"""Whether the log answers, and loops that hang."""

from structlog.testing import capture_logs

from bus.contact import Contact
from bus.turns import LONGEST, Turns


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_that_is_away_is_told_with_its_reason_until_it_answers_again() -> None:
    clock = Clock()
    contact = Contact("stats", clock)
    assert contact.doubt() is None
    with capture_logs() as said:
        contact.lost("no broker")
        clock.now += 61.5
        contact.lost("still none")
        assert contact.doubt() == "the log does not answer: still none"
        contact.made()
    assert contact.doubt() is None
    assert [(line["event"], line.get("away"), line.get("after")) for line in said] == [
        ("the log does not answer", 0.0, None),
        ("the log does not answer", 61.5, None),
        ("the log answers again", None, 61.5),
    ]


def test_a_log_that_always_answers_is_never_spoken_of() -> None:
    contact = Contact("stats")
    with capture_logs() as said:
        contact.made()
        contact.made()
    assert said == []


def test_a_loop_that_has_not_come_round_for_too_long_is_named_until_it_does() -> None:
    clock = Clock()
    turns = Turns(["read", "flush"], clock)
    clock.now += LONGEST
    turns.turn("flush")
    assert turns.late() is None
    clock.now += 15
    assert turns.late() == "read has not turned for 75 s"
    turns.turn("read")
    assert turns.late() is None


def test_a_loop_that_never_began_is_late_as_well() -> None:
    clock = Clock()
    turns = Turns(["read"], clock)
    clock.now += LONGEST + 1
    assert turns.late() == "read has not turned for 61 s"
