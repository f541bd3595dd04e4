"""Errors as callers see them."""

from schemas.errors import Unusable
from schemas.problems import headers, problem


def test_a_store_that_cannot_be_used_is_a_503_that_tells_nobody_where_it_lies() -> None:
    error = Unusable("/srv/data/keys.db cannot be used as a store of keys: disk full")
    status, body = problem(error)
    assert (status, body["status"]) == (503, 503)
    assert "/srv" not in str(body)
    assert headers(error) == {"Retry-After": "1"}
