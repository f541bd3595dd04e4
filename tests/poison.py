"""Records as no producer should write them, made from good ones by a seed."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from schemas.topics import MAX_RECORD

Attributes = dict[str, Any]


def poison(good: Attributes, rng: Random) -> bytes | None:
    """Return a mutated record that no reader may use."""
    return rng.choice(_KINDS)(json.loads(json.dumps(good)), rng)


def _bytes(good: Attributes) -> bytes:
    return json.dumps(good).encode()


def _null(_good: Attributes, _rng: Random) -> None:
    return None


def _empty(_good: Attributes, _rng: Random) -> bytes:
    return b""


def _utf8(good: Attributes, rng: Random) -> bytes:
    body = bytearray(_bytes(good))
    body[rng.randrange(len(body))] = rng.choice((0xFF, 0xC0, 0x80, 0xFE))
    return bytes(body)


def _cut(good: Attributes, rng: Random) -> bytes:
    body = _bytes(good)
    return body[: rng.randrange(len(body))]


def _large(good: Attributes, rng: Random) -> bytes:
    good["data"]["evidence"] = "x" * rng.choice((70_000, 200_000))
    return _bytes(good)


def _largest(_good: Attributes, _rng: Random) -> bytes:
    return b"[" * (MAX_RECORD - 100)


def _deep(good: Attributes, rng: Random) -> bytes:
    depth = rng.choice((300, 2_000, 20_000))
    return _bytes(good).replace(
        b'"data": {', b'"data": {"x": ' + b"[" * depth + b"]" * depth + b","
    )


def _nan(good: Attributes, rng: Random) -> bytes:
    good["data"]["minutes"] = rng.choice((float("nan"), float("inf"), float("-inf")))
    return _bytes(good)


def _twice(good: Attributes, rng: Random) -> bytes:
    key = rng.choice(list(good["data"])).encode()
    return _bytes(good).replace(b'"data": {', b'"data": {"' + key + b'": 1, ')


def _types(good: Attributes, rng: Random) -> bytes:
    field = rng.choice(("revision", "node_id", "enterprise_id", "occurred_at", "actor_ref"))
    value = good["data"][field]
    wrong = [None, True, [], {}, 1.5, [value], {"value": value}]
    good["data"][field] = rng.choice([*wrong, str(value)] if field == "revision" else [*wrong, 7])
    return _bytes(good)


def _revision(good: Attributes, rng: Random) -> bytes:
    good["data"]["revision"] = rng.choice((0, -1, 1_000_001, 10**22, 2**63, 2**64))
    return _bytes(good)


def _kind(good: Attributes, rng: Random) -> bytes:
    good["type"] = rng.choice(("yizhan.service.dreamt", "", None, 5, ["yizhan.service.delivered"]))
    return _bytes(good)


def _version(good: Attributes, rng: Random) -> bytes:
    good["specversion"] = rng.choice(("0.3", "2.0", 1.0, None))
    return _bytes(good)


def _missing(good: Attributes, rng: Random) -> bytes:
    if rng.random() < 0.5:
        del good[rng.choice(("specversion", "id", "source", "type", "subject", "time", "data"))]
    else:
        del good["data"][rng.choice(("revision", "node_id", "enterprise_id", "occurred_at"))]
    return _bytes(good)


def _time(good: Attributes, rng: Random) -> bytes:
    times = ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2023-05-06T09:30:00", "2023-05-06",
             "2023-02-30T00:00:00Z", "1683336600", "2023-05-06T25:00:00+08:00")  # fmt: skip
    good["data"]["occurred_at"] = rng.choice(times)
    return _bytes(good)


def _subject(good: Attributes, rng: Random) -> bytes:
    good["subject"] = rng.choice(("", "yinhu", "Yinhu.1", "yinhu.1\n", "yinhu." + "x" * 65, 5))
    return _bytes(good)


def _other(_good: Attributes, rng: Random) -> bytes:
    return rng.choice((b"null", b"[]", b"1", b'"yizhan"', b"true", b"{}", b"\xef\xbb\xbf{}", b"\0"))


_KINDS: tuple[Callable[[Attributes, Random], bytes | None], ...] = (
    _null, _empty, _utf8, _cut, _large, _deep, _nan, _twice, _types, _revision, _kind, _version,
    _missing, _time, _subject, _other,
)  # fmt: skip
LARGEST = _largest
