"""The read side for people: counters, facts, live documents and the pages that show them."""

from services.screens.service import Screens, running
from services.screens.settings import Settings

__all__ = ["Screens", "Settings", "running"]
