"""The pages that people look at: the hub wall, a station's wall, and what they are made of."""

from services.screens.pages.router import pages

__all__ = ["pages"]
