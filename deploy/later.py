"""What whoever comes at a bad time is told before any service sees the request: to come back."""

from starlette.responses import JSONResponse

from schemas.problems import CONTENT_TYPE, Refusal, headers, problem

_AGAIN = {"Refresh": "5"}
"""What makes a browser come back by itself: a wall has nobody who would press a key."""


def later(error: Refusal, **said: str) -> JSONResponse:
    """Return the answer, with what else it says."""
    status, body = problem(error)
    return JSONResponse(body, status, headers(error) | _AGAIN | said, CONTENT_TYPE)
