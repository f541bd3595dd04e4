"""What can be set about screens."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of screens; each is an environment variable YIZHAN_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="YIZHAN_", frozen=True)

    data: Path = Field(
        Path("data"), description="folder for the state files screens.db and requests.db"
    )
    silent_after: float = Field(
        300.0,
        gt=0,
        le=2_592_000,
        allow_inf_nan=False,
        description="seconds without a heartbeat after which a node is silent",
    )
    live_every: float = Field(
        0.05,
        gt=0,
        le=10,
        allow_inf_nan=False,
        description="least seconds between two changes of a live document",
    )
    live_ping: float = Field(
        15.0, gt=0, le=3600, allow_inf_nan=False, description="seconds between two signs of life"
    )
    live_ring: int = Field(
        600, ge=1, le=1_000_000, description="changes kept per node for who comes back"
    )
    live_queue: int = Field(
        100, ge=1, le=100_000, description="messages a client may lag behind before it is dropped"
    )
    live_clients: int = Field(
        1000, ge=1, le=1_000_000, description="clients that follow live; the next ones are refused"
    )
    live_linger: float = Field(
        60.0,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds that a live document outlives its last client",
    )
    longest_wait: float = Field(
        60.0,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="the most seconds that ?wait= may ask for",
    )
    most_waits: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="questions that wait at the same time: so many without a key, and with one",
    )
    index_batch: int = Field(1000, ge=1, le=100_000, description="facts indexed in one transaction")
    lag_every: float = Field(
        5.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="seconds within which what the log holds must be read, or it is not ready",
    )
    past_threads: int = Field(
        2, ge=1, le=64, description="questions with ?as_of= that are counted at the same time"
    )
    past_waiting: int = Field(
        4, ge=0, le=10_000, description="more of them that may wait; the next ones are refused"
    )
    facts_threads: int = Field(
        2, ge=1, le=64, description="pages of the facts behind a number read at the same time"
    )
    facts_waiting: int = Field(
        16, ge=0, le=10_000, description="more of them that may wait; the next ones are refused"
    )
    look_threads: int = Field(
        4, ge=1, le=64, description="single facts and lists of requests read at the same time"
    )
    look_waiting: int = Field(
        1000, ge=0, le=1_000_000, description="more of them that may wait; the next are refused"
    )
    ranking_minimum: int = Field(
        30,
        ge=0,
        le=1_000_000,
        description="services in the month below which a station is not ranked",
    )
