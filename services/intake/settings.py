"""What can be set about intake, read from the environment once, at start."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Limits of intake; each is an environment variable with the prefix YIZHAN_."""

    model_config = SettingsConfigDict(env_prefix="YIZHAN_", frozen=True, extra="ignore")

    post_bytes: int = Field(
        1_000_000, gt=0, le=100_000_000, description="Largest body of one event, in bytes."
    )
    batch_bytes: int = Field(
        16_000_000,
        gt=0,
        le=1_000_000_000,
        description="Largest body of a batch of events, in bytes.",
    )
    body_seconds: float = Field(
        20,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="How long the body of a post may take to arrive, in seconds.",
    )
    arriving_bytes: int = Field(
        256_000_000,
        gt=0,
        le=1_000_000_000_000,
        description="Most bytes of posts that are still arriving, and as many of batches; each "
        "counts for 64 KiB at least, and more are told to come back (503).",
    )
    batch_items: int = Field(10_000, gt=0, le=1_000_000, description="Most events in one batch.")
    posts_in_flight: int = Field(
        1_000,
        gt=0,
        le=100_000,
        description="Posts worked on at a time; more are told to come back (503).",
    )
    batches_in_flight: int = Field(
        64,
        gt=0,
        le=100_000,
        description="Batches worked on at a time; more are told to come back (503).",
    )
    items_in_flight: int = Field(
        50_000,
        gt=0,
        le=100_000_000,
        description="Events of batches worked on at a time, one batch at least; more are told to "
        "come back (503).",
    )
    future_hours: float = Field(
        24,
        ge=0,
        le=87_600,
        allow_inf_nan=False,
        description="How far ahead of the hub's clock an event may lie, in hours.",
    )
    registry_seconds: float = Field(
        5,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="How long a post waits for the log to be read, in seconds.",
    )
    asks_remembered: int = Field(
        100_000,
        gt=0,
        le=100_000_000,
        description="Of how many asks the time is remembered at least, so that a retry which tells "
        "none is a repeat.",
    )
