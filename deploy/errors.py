"""What a command may refuse by itself. Everything else it fails with is in `schemas.errors`."""

from schemas.errors import YizhanError


class Misuse(YizhanError):
    """The arguments contradict each other or what is there: exit code 2 instead of 1."""
