"""Errors as problem+json, for one app."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from schemas.codec import encode
from schemas.errors import YizhanError
from schemas.problems import CONTENT_TYPE, Refusal, details, headers, problem

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_log = structlog.get_logger(__name__)


def problems(app: FastAPI) -> None:
    """Let `app` answer problem+json for every error, those of its router as well."""
    app.add_exception_handler(YizhanError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _ours)


# Coroutines, because plain functions would wait for a thread, and be cut off when the app ends.
async def _ours(request: Request, error: Exception) -> Response:
    status, body = problem(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Refusal):
        say = _log.warning if getattr(error, "retriable", False) else _log.error
        say("not answered", method=request.method, path=request.url.path, error=str(error))
    said = headers(error)
    if status == HTTPStatus.REQUEST_TIMEOUT:
        said["Connection"] = "close"  # what might still come is not waited for
    return Response(encode(body), status, said, CONTENT_TYPE)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    rule = {"rule": HTTPStatus(error.status_code).name.lower()}
    body, said = details(error.status_code, error.detail) | rule, dict(error.headers or {})
    if "Allow" in said:
        said["Allow"] = ", ".join(_allowed(request))
    return Response(encode(body), error.status_code, said, CONTENT_TYPE)


def _allowed(request: Request) -> list[str]:
    """Return the methods that the path takes; the router names those of its first route only."""
    scopes = [{**request.scope, "method": method} for method in _METHODS]
    return [
        scope["method"]
        for scope in scopes
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads this answer; without it the log would show a failure of ours.
    return Response(status_code=400)
