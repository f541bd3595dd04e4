"""One fact from end to end: stated over HTTP, and seen in the counters that a wall shows."""

from contextlib import suppress
from typing import Any

import httpx

from tests.system import web
from tests.system.load import Client, Ledger
from tests.system.process import Process, until


class Witness:
    """States facts by a ledger of its own, `ledger`, and waits until screens count them."""

    def __init__(self, key: str, name: str) -> None:
        self.ledger = Ledger()
        self._headers = {"Authorization": f"Bearer {key}"}
        self._client = Client(str, key, name, self.ledger, most=1)

    def counted(self, intake: Process, screens: Process) -> None:
        """State one and wait until it counts."""
        (sent,) = self._client.batch()
        said: list[Any] = []
        until(lambda: self._accepted(intake, sent, said), lambda: f"not accepted: {said[-1:]}")
        self._client.acknowledge(sent)
        until(lambda: _shown(screens, said), lambda: f"not counted: {said[-1:]}")

    def _accepted(self, intake: Process, sent: dict[str, Any], said: list[Any]) -> bool:
        with suppress(httpx.TransportError):
            url = f"{intake.url}/v1/events"
            answer = web.post(url, json=sent, headers=self._headers | _EVENT, timeout=15.0)
            said.append(answer.json()[0] if answer.status_code == 207 else answer.text)
            return answer.status_code == 207 and said[-1]["status"] == 202
        return False


_EVENT = {"Content-Type": "application/cloudevents+json"}


def _shown(screens: Process, said: list[Any]) -> bool:
    params = {"node": "hub", "period": "all", "wait": "1", "after": said[-1]["position"]}
    with suppress(httpx.TransportError):
        url = f"{screens.url}/v1/counters"
        return web.get(url, params=params, timeout=5.0).status_code == 200
    return False
