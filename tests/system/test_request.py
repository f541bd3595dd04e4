"""One request from the desk to the wall, through real processes and a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.system import web
from tests.system.people import STATED, measures
from tests.system.process import YIZHAN, Process, processes, until

EXPERT, FIRM = "xiaonan-qu.expert-1", "ent-1"
NODES: dict[str, dict[str, Any]] = {
    "hub": {"kind": "hub", "name": "总平台", "tier": "city"},
    "xiaonan-qu": {"kind": "area", "name": "孝南区", "tier": "county", "parent": "hub"},
    "yinhu": {"kind": "station", "name": "银湖", "tier": "park", "parent": "xiaonan-qu"},
}
DOCUMENTS = {
    **{f"nodes/{node}": document for node, document in NODES.items()},
    f"enterprises/{FIRM}": {"node_id": "yinhu", "name": "一号厂", "industry": "machinery"},
    f"experts/{EXPERT}": {"node_id": "xiaonan-qu", "label": "标准专家", "elements": ["STD"]},
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Process(tmp_path_factory.mktemp("request") / "data", "up")
    with processes(made):
        admin = {"Authorization": f"Bearer {(made.data / 'admin.key').read_text().strip()}"}
        for place, document in DOCUMENTS.items():
            body = {"revision": 1, "node_id": place.rpartition("/")[2], **document, **STATED}
            answer = web.put(f"{made.url}/v1/registry/{place}", json=body, headers=admin)
            assert answer.status_code == 202, answer.text
        yield made


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield opened
        opened.close()


def issued(data: Path, *options: str) -> str:
    """Issue a key as an administrator does, and return it."""
    command = [str(YIZHAN), "keys", "issue", "--role", "writer", "--data", str(data), *options]
    return run(command, check=True, capture_output=True, text=True).stdout.strip().split()[-1]


@contextmanager
def signed_in(browser: Browser, url: str, key: str) -> Iterator[Page]:
    """Open a page and enter a key; anything on its console fails the test."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(url)
    page.locator("#key input").fill(key)
    page.keyboard.press("Enter")
    yield page
    page.close()
    assert not complaints


def press(page: Page, ask: str) -> None:
    """Press the button of an ask, and confirm where it wants to know something."""
    page.locator(f"[data-ask='{ask}']").first.click()
    form = page.locator(f"form[data-ask='{ask}']")
    if form.count():
        form.locator("button.first").click()


def test_a_request_made_at_the_desk_is_accepted_done_confirmed_counted_and_on_the_wall(
    hub: Process, browser: Browser
) -> None:
    desk_key = issued(hub.data, "--scope", "yinhu")
    card_key = issued(hub.data, "--for", EXPERT)
    firm_key = issued(hub.data, "--for", FIRM)
    wall = browser.new_page(viewport={"width": 1920, "height": 1080})
    wall.goto(hub.url)
    services = wall.locator('[data-measure="services_delivered"] .number').first
    expect(services).to_have_text("0")
    with (
        signed_in(browser, f"{hub.url}/desk/yinhu", desk_key) as desk,
        signed_in(browser, f"{hub.url}/cards/{EXPERT}", card_key) as card,
        signed_in(browser, f"{hub.url}/enterprise/{FIRM}", firm_key) as firm,
    ):
        desk.locator("#new [name=enterprise_id]").fill(FIRM)
        desk.locator("#new [value=STD]").check()
        desk.locator("#new [type=submit]").click()
        expect(desk.locator("#new .told")).to_contain_text("已收到")

        expect(card.locator("#asked .title")).to_have_text("一号厂")
        expect(wall.locator(".stuck, #stuck").first).to_contain_text("等待答复")
        press(card, "offer.accepted")
        expect(card.locator("#agreed .chip")).to_have_text("已派定")
        expect(desk.locator("#under_way .chip")).to_have_text("已派定")
        press(card, "service.started")
        expect(card.locator("#agreed .chip")).to_have_text("服务中")
        press(card, "request.result_recorded")

        expect(desk.locator("#waiting .chip")).to_have_text("等企业确认")
        press(desk, "service.delivered")
        expect(desk.locator(".row .told")).to_contain_text("已登记")
        press(firm, "request.confirmed")
        expect(desk.locator("#under_way .chip")).to_have_text("已确认")

    expect(services).to_have_text("1")
    until(lambda: measures(hub.url, "hub", "requests_confirmed")["requests_confirmed"] == 1)
    assert measures(
        hub.url, "yinhu", "requests", "open_requests", "offers", "results", "services_delivered"
    ) == {
        "requests": 1, "open_requests": 1, "offers": 1, "results": 1, "services_delivered": 1,
    }  # fmt: skip
    wall.close()
