"""How answers are told: JSON with exact numbers, and every error as a problem."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from schemas.errors import Invalid, YizhanError
from schemas.problems import CONTENT_TYPE, headers, problem
from services.screens.channel import write
from services.screens.stays import stays

NO_STORE = {"Cache-Control": "no-store"}
_LEFT = 499  # nobody hears it; requests are counted by it


def told(document: object) -> Response:
    """Return a document as JSON, never to be cached."""
    return Response(write(document), media_type="application/json", headers=NO_STORE)


class ToldRoute(APIRoute):
    """A route whose errors are problems (RFC 9457); whoever leaves is waited for no longer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def tell(request: Request) -> Response:
            try:
                return await stays(request, handle(request)) or Response(status_code=_LEFT)
            except RequestValidationError as error:
                return refused(_invalid(error))
            except YizhanError as error:
                return refused(error)

        return tell


def refused(error: YizhanError) -> Response:
    """Return an error as a problem."""
    status, body = problem(error)
    return Response(write(body), status, NO_STORE | headers(error), CONTENT_TYPE)


def _invalid(error: RequestValidationError) -> Invalid:
    first = error.errors()[0]
    return Invalid(".".join(str(part) for part in first["loc"][1:]), first["type"], first["msg"])
