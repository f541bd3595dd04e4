"""What can be set about matching."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.matching.rules import WAN_YUAN, Rules

Wan = Annotated[int, Field(ge=0, le=100_000_000)]


class Settings(BaseSettings):
    """Settings of matching; each is an environment variable YIZHAN_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="YIZHAN_", frozen=True)

    matching_group: str = Field(
        "matching",
        max_length=200,
        pattern="^[A-Za-z0-9._-]+$",
        description="consumer group of the matchers of a log",
    )
    window_seconds: float = Field(
        0.1,
        gt=0,
        le=10,
        allow_inf_nan=False,
        description="the longest that asks are gathered to be decided together",
    )
    offer_minutes: float = Field(
        120.0,
        gt=0,
        le=43_200,
        allow_inf_nan=False,
        description="minutes that an offer waits for its answers",
    )
    notice_minutes: float = Field(
        60.0,
        ge=0,
        le=43_200,
        allow_inf_nan=False,
        description="minutes before work begins that its people are asked, unless it is urgent",
    )
    escalate_minutes: float = Field(
        10.0,
        ge=0,
        le=43_200,
        allow_inf_nan=False,
        description="minutes that a request waits unmatched before the pool above is asked",
    )
    patience_days: float = Field(
        30.0,
        gt=0,
        le=3650,
        allow_inf_nan=False,
        description="days that a request without need_by may stay open unserved",
    )
    due_hours: float = Field(
        48.0,
        gt=0,
        le=87_600,
        allow_inf_nan=False,
        description="hours from submission until a request is due, unless the station says",
    )
    horizon_days: float = Field(
        14.0,
        gt=0,
        le=365,
        allow_inf_nan=False,
        description="days ahead in which slots are looked for without need_by",
    )
    candidates: int = Field(
        20, ge=1, le=1000, description="candidates that a request is considered for"
    )
    exclude_failed: bool = Field(
        default=False, description="whether agencies with a failed project are left out"
    )
    loan_caps_wan: tuple[Wan, Wan, Wan] = Field(
        (5000, 3000, 1000), description="the most that tiers 1, 2 and 3 may borrow, in 万元"
    )

    def rules(self) -> Rules:
        """Return the rules that are set."""
        one, two, three = (cap * WAN_YUAN for cap in self.loan_caps_wan)
        return Rules(
            offer_for=timedelta(minutes=self.offer_minutes),
            notice=timedelta(minutes=self.notice_minutes),
            escalate_after=timedelta(minutes=self.escalate_minutes),
            patience=timedelta(days=self.patience_days),
            due_after=timedelta(hours=self.due_hours),
            horizon=timedelta(days=self.horizon_days),
            candidates=self.candidates,
            exclude_failed=self.exclude_failed,
            loan_caps=(one, two, three),
        )
