"""The walls in a real browser: numbers that move, in both languages, on every screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.system import web
from tests.system.people import STATED, register
from tests.system.process import Process, processes

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = ((1920, 1080), (1366, 768), (390, 844))
STATIONS = ("yinhu", "anlu", "dawu")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Process(tmp_path_factory.mktemp("wall") / "data", "up")
    with processes(made):
        register(made.url, key(made), *STATIONS)
        yield made


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not complain: anything on its console fails the test."""
    opened = browser.new_page(viewport={"width": 1920, "height": 1080})
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console", lambda said: complaints.append(said.text) if said.type == "error" else None
    )
    yield opened
    opened.close()
    assert not complaints


def key(hub: Process) -> str:
    return (hub.data / "admin.key").read_text().strip()


def serve(hub: Process, serial: int, node: str = "yinhu", enterprise: str = "ent-1") -> None:
    """Post one service."""
    body = {"id": f"{node}.{serial}", "node_id": node, "enterprise_id": enterprise,
            "elements": ["STD"], "mode": "diagnosis"} | STATED  # fmt: skip
    headers = {"Authorization": f"Bearer {key(hub)}"}
    answer = web.post(f"{hub.url}/v1/services", json=body, headers=headers)
    assert answer.status_code == 202, answer.text


def shown(hub: Process, measure: str) -> int:
    """Return what /v1/counters says now."""
    found = web.get(f"{hub.url}/v1/counters", params={"node": "hub"}).json()
    value: int = found["measures"][measure]["value"]
    return value


def test_a_posted_service_moves_the_number_on_an_open_wall(hub: Process, page: Page) -> None:
    page.goto(hub.url)
    before = shown(hub, "services_delivered")
    number = page.locator('[data-measure="services_delivered"] .number').first
    expect(number).to_have_text(f"{before:,}")
    serve(hub, 1)
    expect(number).to_have_text(f"{before + 1:,}")


def test_the_wall_says_the_same_in_english(hub: Process, page: Page) -> None:
    page.goto(f"{hub.url}/?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#connection")).to_have_text("live")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/", "/?lang=en", "/stations/yinhu"])
def test_nothing_sticks_out_of_any_screen(
    hub: Process, page: Page, size: tuple[int, int], path: str
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(hub.url + path)
    expect(page.locator('[data-measure="services_delivered"] .number').first).to_be_visible()
    wide, high = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert wide <= size[0]
    assert high <= size[1] or size[0] < 900


def test_no_enterprise_is_named_on_a_public_wall(hub: Process, page: Page) -> None:
    serve(hub, 2, enterprise="ent-secret")
    page.goto(f"{hub.url}/stations/yinhu")
    expect(page.locator('[data-measure="services_delivered"] .number').first).to_be_visible()
    assert "ent-secret" not in page.content()
    assert "s-1" not in page.content()
    with web.stream("GET", f"{hub.url}/v1/live", params={"node": "yinhu"}) as live:
        said = next(line for line in live.iter_lines() if line.startswith("data:"))
    assert "ent-secret" not in said


def test_a_wall_says_when_its_hub_is_gone_and_goes_on_when_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    page = browser.new_page()
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        register(hub.url, key(hub), *STATIONS)
        page.goto(f"{hub.url}/?lang=en")
        expect(page.locator("#connection")).to_have_text("live")
        hub.kill()
        expect(page.locator("#connection")).not_to_have_text("live")
        hub.start()
        hub.until_ready()
        serve(hub, 1)
        number = page.locator('[data-measure="services_delivered"] .number').first
        expect(number).to_have_text("1", timeout=30_000)
        expect(page.locator("#connection")).to_have_text("live")
    page.close()


def test_an_unknown_station_is_a_page_that_says_so(hub: Process, browser: Browser) -> None:
    opened = browser.new_page()
    answer = opened.goto(f"{hub.url}/stations/nowhere")
    assert answer is not None
    assert answer.status == 404
    assert opened.locator("h1").count() == 1
    opened.close()
