"""What is known where an event is judged: the registry, the requests, the assignments."""

from typing import NamedTuple, Protocol

from schemas.tree import Registry


class Request(NamedTuple):
    """A request: the node it is served from, who asked, and who serves now."""

    node: str
    enterprise: str
    performers: tuple[str, ...] = ()


class Assignment(NamedTuple):
    """An assignment: the request it is for, and its members."""

    request: str
    members: tuple[str, ...]


class Scene(Protocol):
    """All that a judgement may depend on, besides the event, the key and the clock."""

    @property
    def registry(self) -> Registry:
        """What is registered."""

    def request(self, id_: str) -> Request | None:
        """Return a request; None when nobody has submitted one of that id."""

    def assignment(self, id_: str) -> Assignment | None:
        """Return an assignment; None when matching has offered none of that id."""
