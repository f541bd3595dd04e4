"""Intake: HTTP in, validated events out; it says 202 only when the log has them durably."""

from services.intake.app import Intake, running
from services.intake.problems import problems
from services.intake.settings import Settings

__all__ = ["Intake", "Settings", "problems", "running"]
