"""A browser, and the pages it looks at."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.screens.reception import Office, browsing, looking, opened


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with browsing(chromium) as started:
        yield started


@pytest.fixture
def served() -> Iterator[tuple[str, Office]]:
    with opened() as found:
        yield found


@pytest.fixture
def office(served: tuple[str, Office]) -> Office:
    return served[1]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with looking(browser) as found:
        yield found
