"""The page in Firefox: examples of both tabs, a reload, and axe-core. Skipped where Firefox is not installed."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.browser.firefox import Firefox, find_firefox
from tests.browser.test_links import LINES, fragment
from tests.browser.test_looks import RULES
from tests.e2e.running import Service

PROGRAM = find_firefox()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="Firefox is not installed (Debian: apt-get install firefox-esr)"
)


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with Firefox.run(str(PROGRAM), Path(tmp_path_factory.mktemp("profile"))) as started:
        yield started


SETTLED = """return document.getAnimations().every(each =>
  each.playState !== "running" || each.effect.getComputedTiming().endTime === Infinity)"""


def faults(firefox: Firefox) -> list[str]:
    firefox.wait(SETTLED)
    firefox.ask((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8") + "\nwindow.axe = axe;")
    firefox.ask("axe.run(document, arguments[0]).then(found => { window.found = found.violations; });", RULES)
    firefox.wait("return Boolean(window.found)")
    return [str(each) for each in firefox.ask("return window.found.map(each => each.id)")]


def test_both_examples_are_answered_kept_and_readable(firefox: Firefox, service: Service) -> None:
    firefox.go(f"{service.url}/")
    firefox.wait("return !document.getElementById('about-rank').hidden")
    firefox.ask("document.getElementById('example-sequences').click()")
    told = "const title = document.querySelector('#rank-result h2'); return title?.textContent.includes('the gate')"
    firefox.wait(told)
    firefox.go(f"{service.url}/docs")
    firefox.wait("return document.querySelector('.opblock') !== null")
    firefox.call("WebDriver:Back")
    firefox.wait(told)
    assert ">design-01" in firefox.ask("return document.getElementById('sequences').value")
    firefox.ask("document.getElementById('tab-classify').click()")
    firefox.ask("document.getElementById('example-abstract').click()")
    firefox.wait("return document.querySelectorAll('#classify-result .meter').length > 0")
    firefox.wait("return document.querySelector('#classify .primary').disabled === false")
    assert faults(firefox) == []


def test_a_link_opens_with_its_result(firefox: Firefox, service: Service) -> None:
    firefox.go(f"{service.url}/?top_k=2#rank={fragment(LINES.encode())}")
    firefox.wait("return document.querySelector('#rank-result .share button')?.textContent === 'Copy link'")
    assert firefox.ask("return document.getElementById('sequences').value") == LINES
    assert firefox.ask("return document.getElementById('top_k').value") == "2"
    assert faults(firefox) == []
