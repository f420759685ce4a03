"""A browser on the page of a real service; every test also holds that nothing went wrong that people don't see."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visit import Visit
from tests.e2e.running import Service, running

QUIET = ("--log-level", "ERROR")
KEY = "a-key-of-20-characters"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here, so that only `make test-browser` runs it."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with running(*QUIET) as started:
        yield started


@pytest.fixture(scope="session")
def keyed() -> Iterator[Service]:
    """A service that wants an API key."""
    with running(*QUIET, "--api-key", KEY) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-browser")
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox needs rights that containers do not give; the tests visit our pages only.
        launched = driver.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any, service: Service) -> Iterator[Visit]:
    """The page on a desk, in light colours."""
    with Visit.to(browser, service) as opened:
        yield opened


@pytest.fixture
def keyed_visit(browser: Any, keyed: Service) -> Iterator[Visit]:
    with Visit.to(browser, keyed) as opened:
        yield opened
