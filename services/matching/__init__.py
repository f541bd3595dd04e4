"""Matching: the judge of requests. Who does what, and which move is legal."""

from services.matching.app import running
from services.matching.settings import Settings

__all__ = ["Settings", "running"]
