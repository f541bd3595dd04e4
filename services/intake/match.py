"""`If-Match: n` says which revision the caller has seen; what it sends becomes revision n + 1."""

from re import fullmatch
from typing import Any

from fastapi import Request

from schemas.errors import Invalid
from schemas.problems import Refusal


def matched(request: Request) -> int | None:
    """Return n of `If-Match: n` (or "n"); None without the header."""
    text = request.headers.get("if-match")
    if text is None:
        return None
    found = fullmatch(r'"?([0-9]{1,7})"?', text.strip())
    if found is None:
        raise Invalid("", "if_match", 'If-Match is a revision, such as 3 or "3"')
    return int(found[1])


def stated(request: Request, data: dict[str, Any]) -> None:
    """Set the revision of `data` to the one after `If-Match`; without it: Refusal (428)."""
    seen = matched(request)
    if seen is None:
        raise Refusal(428, "if_match", "say with If-Match which revision you have seen")
    follow(data, seen)


def follow(data: dict[str, Any], seen: int) -> None:
    """Let `data` be the revision after `seen`; raises Invalid when it says another one."""
    if data.setdefault("revision", seen + 1) != seen + 1:
        raise Invalid("revision", "if_match", f"after If-Match: {seen} comes revision {seen + 1}")
