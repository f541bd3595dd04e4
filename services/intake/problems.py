"""Errors as problem+json, for one app."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from schemas.codec import encode
from schemas.errors import YizhanError
from schemas.problems import CONTENT_TYPE, Refusal, details, headers, problem

_log = structlog.get_logger(__name__)


def problems(app: FastAPI) -> None:
    """Let `app` answer problem+json for every error, those of its router as well."""
    app.add_exception_handler(YizhanError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _ours)


def _ours(request: Request, error: Exception) -> Response:
    status, body = problem(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, Refusal):
        _log.error("not answered", method=request.method, path=request.url.path, error=str(error))
    return Response(encode(body), status, headers(error), CONTENT_TYPE)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = details(error.status_code, error.detail)
    return Response(encode(body), error.status_code, error.headers, CONTENT_TYPE)


def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads this answer; without it the log would show a failure of ours.
    return Response(status_code=400)
