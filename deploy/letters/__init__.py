"""`yizhan dead-letters`: what could not be used, and what becomes of it."""

from deploy.letters.commands import app

__all__ = ["app"]
