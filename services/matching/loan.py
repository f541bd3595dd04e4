"""Loans (鄂质贷): the most that an enterprise may borrow, by its tier."""

from datetime import datetime

from schemas.days import business_day
from services.matching.rules import Rules
from services.matching.supply import Supply


def ceiling(enterprise: str, supply: Supply, now: datetime, rules: Rules) -> int:
    """Return the most that an enterprise may borrow today, in fen."""
    has = set(supply.categories(enterprise, business_day(now)))
    first, second, third = rules.loan_caps
    if has & rules.tier_one:
        return first
    return second if has & rules.tier_two else third
