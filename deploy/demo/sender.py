"""How the sample reaches the hub: over HTTP, as stations do."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import httpx

from deploy.demo.edge import Beat
from deploy.demo.event import Event
from schemas.codec import encode
from schemas.errors import Unusable

BATCH = 500
FLYING = 4
"""Batches under way at a time."""

TRIES = 20
PAUSE = 0.25
_UNAVAILABLE = 503


class Sender:
    """Posts events until all of them are accepted; a repeat changes nothing."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.furthest: dict[tuple[str, int], int] = {}
        """The last offset of every partition written to."""

    async def post(self, events: Sequence[Event]) -> None:
        """Post one batch. Raises Unusable when the hub refuses some of it."""
        body = b"\n".join(map(encode, events))
        answer = await self._sent("/v1/events", body, "application/x-ndjson")
        for one, item in zip(events, answer.json(), strict=True):
            if item["status"] != httpx.codes.ACCEPTED:
                raise Unusable(f"the hub refused {one['type']} {one['subject']}: {item}")
            topic, partition, offset = item["position"].split(":")
            place = topic, int(partition)
            self.furthest[place] = max(int(offset), self.furthest.get(place, 0))

    async def post_all(self, events: Sequence[Event], told: Callable[[int], object]) -> None:
        """Post any number of events, several batches at a time; `told` hears how many are in."""
        batches = _batches(events)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(FLYING):
                tasks.create_task(self._post_each(batches, told))

    async def beat(self, beat: Beat) -> None:
        """Send a heartbeat."""
        to = beat.complete_to.isoformat(timespec="seconds")
        body = encode({"node_id": beat.node, "complete_to": to, "waiting": beat.waiting})
        await self._sent("/v1/heartbeats", body, "application/json")

    async def _post_each(
        self, batches: Iterable[Sequence[Event]], told: Callable[[int], object]
    ) -> None:
        for batch in batches:
            await self.post(batch)
            told(len(batch))

    async def _sent(self, path: str, body: bytes, kind: str) -> httpx.Response:
        """Post until it is taken: what is busy now takes it in a moment."""
        why: Any = None
        for attempt in range(TRIES):
            try:
                answer = await self.client.post(path, content=body, headers={"content-type": kind})
            except httpx.TransportError as error:
                why = repr(error)
            else:
                if answer.is_success and not _busy(answer):
                    return answer
                if answer.is_client_error:
                    raise Unusable(f"the hub refused {path}: {answer.text[:300]}")
                why = f"{answer.status_code} {answer.text[:300]}"
            await asyncio.sleep(PAUSE * min(attempt + 1, 8))
        raise Unusable(f"the hub did not take what was posted to {path}: {why}")


def _busy(answer: httpx.Response) -> bool:
    """Whether some items of a batch are to be sent again."""
    many = answer.status_code == httpx.codes.MULTI_STATUS
    return many and any(item["status"] == _UNAVAILABLE for item in answer.json())


def _batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    return (events[at : at + BATCH] for at in range(0, len(events), BATCH))
