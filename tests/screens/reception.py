"""The pages on a real port, above an API of the agreed shapes that a test can write into."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import format_sse_event
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from schemas.days import SHANGHAI
from schemas.lifecycle import ROLES, legal
from services.screens.pages import pages

KEY = "yz_test_key"
Document = dict[str, Any]


def ago(**span: float) -> str:
    return (datetime.now(SHANGHAI) - timedelta(**span)).isoformat()


def request(id_: str, state: Any, **more: Any) -> Document:
    asks = {name: legal(state, roles) for name, roles in ROLES.items()}
    demand = {"elements": ["STD"], "mode": "diagnosis", "channel": "order", "urgent": False}
    return {
        "id": id_, "state": state, "revision": 1, "node": "s-1", "node_name": "银湖驿站",
        "enterprise_id": "ent-1", "enterprise_name": None, "kind": "request",
        "channel": "order", "submitted_at": ago(hours=2), "since": ago(minutes=3.5),
        "first_response_at": None, "due_at": None, "late": False, "blocked_seconds": 0,
        "blocked_reason": None, "assignment": None, "performers": [], "level": 0,
        "escalations": 0, "child": None, "reasons": [], "unmatched": None, "score": None,
        "outcome": None, "legal": asks, "position": "assignments:0:1", "timeline": [],
        "offer": None, **more, "demand": demand | more.get("demand", {}),
    }  # fmt: skip


def member(id_: str = "c.x-1", **more: Any) -> Document:
    start, end = ago(days=-1), ago(days=-1, hours=-1.5)
    return {
        "kind": "expert", "id": id_, "label": None, "start": start, "end": end, "answer": None,
        **more,
    }  # fmt: skip


def offer(assignment: str, **more: Any) -> Document:
    return {
        "assignment": assignment, "request_id": "c.r-1", "node": "s-1", "node_name": "银湖驿站",
        "enterprise_id": "ent-1", "enterprise_name": None, "outcome": "offered",
        "elements": ["STD"], "mode": "diagnosis", "about": None, "minutes": 60, "urgent": False,
        "members": [member()], "parts": [{"name": "knows", "points": 40}], "score": 40,
        "alternatives": [], "passed": [], "offered_at": ago(minutes=10),
        "expires_at": ago(minutes=-100), "reason": None, "member": None, "state": "offered",
        "position": "assignments:0:2", **more,
    }  # fmt: skip


def _wall(node: str) -> Document:
    """Return the document of a wall on which nothing has happened yet."""
    return {
        "node": {"id": node, "name": "银湖驿站", "name_en": "Yinhu", "kind": "hub", "path": []},
        "day": "2026-11-21", "now": ago(), "complete_to": None,
        "silent": [], "waiting": 0, "drift": "unknown", "audited_at": None, "all": {},
        "today": {}, "indicators": [], "stations": {}, "ranking": [], "ranking_left_out": 0,
        "ranking_rule": {"measure": "services_delivered", "period": "2026-11", "minimum": 30},
        "trend": {"day": "2026-11-21", "before_day": "2026-11-14", "today": [0] * 24,
                  "before": [0] * 24},
        "ticker": [], "profile": None,
    }  # fmt: skip


class Office:
    """What the API tells and hears.

    `verdict` is what it comes to about each ask; `failing` is the status that asks are answered
    with meanwhile. What `wall` holds replaces that part of an empty wall's document; `full` is how
    often whoever wants to follow it still finds no place.
    """

    def __init__(self) -> None:
        self.requests: dict[str, Document] = {}
        self.offers: dict[str, Document] = {}
        self.wall: Document = {}
        self.heard: list[tuple[str, str, Document]] = []
        self.verdict: Document = {"verdict": "moved", "state": "submitted"}
        self.failing: int | None = None
        self.full = 0
        self._version, self._open, self._news = 1, True, threading.Condition()

    def tell(self, *requests: Document, offers: tuple[Document, ...] = ()) -> None:
        """Let these be so from now on: whoever waits for news is told."""
        with self._news:
            self.requests |= {one["id"]: one for one in requests}
            self.offers |= {one["assignment"]: one for one in offers}
            self._version += 1
            self._news.notify_all()

    def end(self) -> None:
        with self._news:
            self._open = False
            self._news.notify_all()

    def answer(self, version: int | None, wait: float, found: Callable[[], Document]) -> Document:
        with self._news:
            if version is not None:
                self._news.wait_for(lambda: self._version != version or not self._open, wait)
            return {"version": self._version} | found()


def _reading(office: Office, app: FastAPI) -> None:
    @app.get("/v1/requests")
    def requests(version: int | None = None, wait: float = 25) -> Document:
        return office.answer(
            version, wait, lambda: {"requests": [*office.requests.values()], "next": None}
        )

    @app.get("/v1/requests/{id_}")
    def one(id_: str) -> Document:
        return office.answer(None, 0, lambda: office.requests[id_])

    @app.get("/v1/requests/{id_}/asks/{ask}")
    def ask(id_: str, ask: str) -> Document:
        told = {"ask": ask, "request_id": id_, "legal": [], "cause": "", "detail": ""}
        return told | office.verdict

    @app.get("/v1/offers")
    def offers(version: int | None = None, wait: float = 25) -> Document:
        return office.answer(version, wait, lambda: {"offers": [*office.offers.values()]})

    @app.get("/v1/enterprises/{id_}/requests")
    def enterprise(id_: str) -> Document:
        return {"enterprise_id": id_, "name": None, "requests": [*office.requests.values()]}

    @app.get("/v1/live")
    def live(node: str) -> Response:
        if office.full:
            office.full -= 1
            return JSONResponse({"status": 503, "detail": "full"}, 503)
        told = json.dumps(_wall(node) | office.wall)
        said = format_sse_event(event="snapshot", data_str=told)
        return Response(said, media_type="text/event-stream")


def _writing(office: Office, app: FastAPI) -> None:
    @app.post("/v1/{path:path}")
    async def post(path: str, asked: Request) -> Response:
        office.heard.append((path, asked.headers["Idempotency-Key"], await asked.json()))
        if office.failing:
            return JSONResponse({"status": office.failing, "detail": "no"}, office.failing)
        id_ = path.split("/")[1] if "/" in path else "c.r-9"
        place = f"/v1/requests/{id_}/asks/c.a-1?after=requests:0:7"
        return Response(status_code=202, headers={"Location": place})


def _guard(app: FastAPI) -> None:
    @app.middleware("http")
    async def guard(asked: Request, go_on: Any) -> Response:
        api = asked.url.path.startswith("/v1/") and asked.url.path != "/v1/live"
        if api and asked.headers.get("Authorization") != f"Bearer {KEY}":
            return JSONResponse({"status": 401, "detail": "no"}, 401)
        answer: Response = await go_on(asked)
        return answer


@contextmanager
def opened() -> Iterator[tuple[str, Office]]:
    """Yield the address of the pages, and what their API tells and hears."""
    office, app = Office(), FastAPI()
    for part in (_reading, _writing):
        part(office, app)
    _guard(app)
    app.include_router(pages(lambda node: node in {"hub", "s-1"}))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", office
    finally:
        server.should_exit = True
        office.end()
        thread.join(20)
        listening.close()


QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def browsing(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield started
        started.close()


@contextmanager
def looking(browser: Browser, key: str | None = KEY) -> Iterator[Page]:
    """Yield a page of who holds a key; scripts that fail or break the page's policy fail the test.

    A status that the API answers with is told on the console too, and is no complaint.
    """
    page = browser.new_page(viewport={"width": 1366, "height": 768}, timezone_id="Asia/Tokyo")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _complains(said) else None)
    if key:
        page.add_init_script(f"sessionStorage.setItem('yizhan.key', '{key}')")
    yield page
    page.close()
    assert not complaints


def _complains(said: ConsoleMessage) -> bool:
    return said.type == "error" and "Failed to load resource" not in said.text
