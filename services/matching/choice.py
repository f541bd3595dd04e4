"""What choosing is asked, and what it answers."""

from typing import NamedTuple

from schemas.decisions import Alternative, Member, Moved, Part, Passed, Reason, Relaxation


class Case(NamedTuple):
    """A request, or a referral of another pool's, that waits to be matched."""

    id: str
    moved: Moved


class Candidate(NamedTuple):
    """One way to serve a case: all its members at one time, and why them."""

    members: tuple[Member, ...]
    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """The sum of the parts."""
        return sum(part.points for part in self.parts)

    @property
    def ids(self) -> tuple[str, ...]:
        """Who they are."""
        return tuple(member.id for member in self.members)


class Choice(NamedTuple):
    """Who shall serve a case, who else could, and who nearly could."""

    candidate: Candidate
    alternatives: tuple[Alternative, ...] = ()
    passed: tuple[Passed, ...] = ()


class Nobody(NamedTuple):
    """Why nobody can serve a case, the least that would help, and who would fit then."""

    reasons: tuple[Reason, ...]
    passed: tuple[Passed, ...] = ()
    relaxation: tuple[Relaxation, ...] = ()
    would_fit: tuple[str, ...] = ()
