"""Reading a request's body: of a type that is taken, never more than a limit."""

from collections.abc import Collection

from fastapi import Request

from schemas.problems import Refusal

JSON = "application/json"


def media(request: Request, taken: Collection[str]) -> str:
    """Return the body's media type; raises Refusal (415) unless it is one of `taken`."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    if found not in taken:
        wanted = " or ".join(sorted(taken))
        raise Refusal(415, "media_type", f"send {wanted}, not {found or 'nothing'}")
    if coding != "identity":
        raise Refusal(415, "content_encoding", f"send it as it is, not as {coding}")
    return found


async def read(request: Request, limit: int) -> bytes:
    """Return the body; raises Refusal (413) as soon as it is known to be over `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    whole = bytearray()
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > limit:
            raise _too_large(limit)
    return bytes(whole)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "size", f"the body is larger than {limit} bytes")
