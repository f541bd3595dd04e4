"""By which rules matching decides: plain values, passed in."""

from dataclasses import dataclass
from datetime import timedelta

WAN_YUAN = 1_000_000
"""Fen in 万元."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one hub.

    `offer_for`: how long an offer waits for its answers. `notice`: how long before work begins its
    people are asked, unless it is urgent. `escalate_after`: how long a request waits unmatched
    before the pool above is asked. `patience`: how long one without need_by may stay open unserved.
    `due_after`: what `due_at` is, counted from submission, unless the station says. `horizon`: how
    far ahead slots are looked for without need_by. `candidates`: how many a request is considered
    for. `exclude_failed`: whether an agency with a failed project is left out. `loan_caps`: the
    most that tiers 1, 2 and 3 may borrow, in fen; `tier_one` and `tier_two` are the categories of
    enterprises in those tiers.
    """

    offer_for: timedelta = timedelta(hours=2)
    notice: timedelta = timedelta(hours=1)
    escalate_after: timedelta = timedelta(minutes=10)
    patience: timedelta = timedelta(days=30)
    due_after: timedelta = timedelta(days=2)
    horizon: timedelta = timedelta(days=14)
    candidates: int = 20
    exclude_failed: bool = False
    loan_caps: tuple[int, int, int] = (5000 * WAN_YUAN, 3000 * WAN_YUAN, 1000 * WAN_YUAN)
    tier_one: frozenset[str] = frozenset({"little_giant", "national_little_giant"})
    tier_two: frozenset[str] = frozenset({"hidden_champion", "specialised", "leader"})
