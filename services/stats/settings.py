"""What can be set about stats."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of stats; each is an environment variable YIZHAN_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="YIZHAN_", frozen=True)

    data: Path = Field(Path("data"), description="folder for the state file stats-CATALOGUE.db")
    group: str = Field(
        "stats",
        max_length=200,
        pattern="^[A-Za-z0-9._-]+$",
        description="consumer group; one per set of counters",
    )
    flush_every: float = Field(
        0.1,
        gt=0,
        le=10,
        allow_inf_nan=False,
        description="seconds between two publications of changed rows, more while the log is slow",
    )
    audit_every: float = Field(
        60.0,
        ge=1,
        le=86_400,
        allow_inf_nan=False,
        description="seconds between two recounts of the log, for the drift badge",
    )
