"""Pages in a real browser that find no place among all that follow and wait."""

from playwright.sync_api import Page, expect

from tests.screens.reception import Office


def test_a_wall_for_which_there_is_no_place_asks_again_until_there_is_one(
    page: Page, served: tuple[str, Office]
) -> None:
    url, office = served
    office.full = 2
    page.goto(url)
    expect(page.locator(".wall")).to_have_attribute("aria-busy", "false", timeout=20_000)
    assert office.full == 0
