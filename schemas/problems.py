"""What an error looks like to who called over HTTP: problem details (RFC 9457). Pure rendering."""

from http import HTTPStatus
from typing import Any

from schemas.errors import (
    Forbidden,
    Invalid,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unusable,
    YizhanError,
)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = 1
"""Seconds after which it makes sense to try again."""

_MALFORMED = {"json", "duplicate_key", "idempotency_key", "if_match", "null", "object"}
_SHOWN = 100


class Refusal(YizhanError):
    """A request that HTTP itself has a status for: 404, 413, 415, 428, 503."""

    def __init__(self, status: int, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.rule = status, rule
        self.retriable = status == HTTPStatus.SERVICE_UNAVAILABLE


def problem(error: Exception) -> tuple[int, dict[str, Any]]:
    """Return the status and the body for `error`; what happened inside is not told to callers."""
    status = _status(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return status, details(status, "this went wrong inside, and was logged")
    if isinstance(error, Unavailable):
        return status, details(
            status, "the log does not answer now: nothing is promised, try again"
        )
    if isinstance(error, Unusable):
        return status, details(status, "a store of this hub cannot be used now: try again")
    if isinstance(error, Invalid):
        return status, details(status, error.detail) | _fields(error)
    rule = {"rule": error.rule} if isinstance(error, Refusal) else {}
    return status, details(status, str(error)) | rule


def details(status: int, detail: str) -> dict[str, Any]:
    """Return the body of a problem without fields."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def headers(error: Exception) -> dict[str, str]:
    """Return what the answer says besides: when to try again, how to present a key."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    retriable = isinstance(error, Unusable) or getattr(error, "retriable", False)
    return {"Retry-After": str(RETRY_AFTER)} if retriable else {}


def _fields(error: Invalid) -> dict[str, Any]:
    errors = [{"field": e.field, "rule": e.rule, "detail": e.detail} for e in error.errors]
    return {"field": error.field, "rule": error.rule, "errors": errors[:_SHOWN]}


def _status(error: Exception) -> int:  # noqa: PLR0911  # one line per kind of error
    match error:
        case Refusal():
            return error.status
        case Unauthenticated():
            return 401
        case Forbidden():
            return 403
        case TooLarge() | Invalid(rule="size"):
            return 413
        case Invalid():
            return 400 if error.rule in _MALFORMED else 422
        case YizhanError(retriable=True) | Unusable():
            return 503
    return 500
