"""The pictures in README.md, taken of the real page with real results: `python -m tests.browser.pictures`."""

import os
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import Visit
from tests.e2e.running import ROOT, Service, running

FOLDER = ROOT / "docs" / "images"
SCREEN = {"width": 1280, "height": 780}
PAPER = """<h1>Massive photon pairs</h1><p>C. Author and D. Author</p><h2>Abstract</h2><p>{}</p>
<h2>1. Introduction</h2><p>Photons are everywhere.</p>"""


def main() -> None:
    """Take both pictures."""
    with running("--log-level", "ERROR") as service, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        rank(browser, service, FOLDER / "rank.png")
        classify(browser, service, FOLDER / "classify.png")
        browser.close()


def rank(browser: Browser, service: Service, target: Path) -> None:
    """Take the example of the first tab, in light colours, down to the table."""
    with Visit.to(browser, service, viewport=SCREEN | {"height": 1180}) as visit:
        visit.page.click("#example-sequences")
        visit.page.wait_for_selector("#rank-result table")
        take(visit, target)


def classify(browser: Browser, service: Service, target: Path) -> None:
    """Take a PDF of the second tab's example, in dark colours."""
    with Visit.to(browser, service, "/#classify", viewport=SCREEN, color_scheme="dark") as visit:
        visit.page.click("#example-abstract")
        paper = browser.new_page()
        paper.set_content(PAPER.format(visit.page.input_value("#abstract")))
        visit.choose("paper.pdf", paper.pdf(), "#abstract-file")
        paper.close()
        visit.classify()
        take(visit, target)


def take(visit: Visit, target: Path) -> None:
    """Save what the window shows, once plots have their widths."""
    visit.page.mouse.move(0, 0)
    visit.page.evaluate("document.activeElement.blur(); scrollTo(0, 0); new Promise(requestAnimationFrame)")
    visit.page.wait_for_timeout(300)
    target.parent.mkdir(exist_ok=True)
    visit.page.screenshot(path=target)


if __name__ == "__main__":
    main()
