"""A run in its address: a link opens with input, options and result, and what it holds is foreign input."""

import base64
import json
import re
import zlib
from typing import Any

import pytest

from tests.browser.test_looks import faults
from tests.browser.visit import DESK, Visit
from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT, CSV, DESIGN, OTHER, POOR
from tools.demo.proteins import fasta, proteins

LINES = f">first\n{DESIGN}\n>second\n{OTHER}\n>third\n{POOR}\n"
MARKUP = '<img src=x onerror="window.run=1">'
TITLE = "#rank-result h2 >> text=the gate"


def fragment(body: bytes, name: str = "", made: str = "") -> str:
    """Pack what a link holds, as the page does."""
    packer = zlib.compressobj(wbits=-15)
    head = json.dumps({"name": name, "made": made}).encode() + b"\n"
    packed = packer.compress(head + body) + packer.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def copied(visit: Visit, pane: str = "#rank-result") -> str:
    return visit.copied(f"{pane} .share >> text=Copy link")


def test_a_link_opens_with_input_options_and_result_elsewhere(visit: Visit, browser: Any, service: Service) -> None:
    visit.paste(LINES)
    visit.page.fill("#top_k", "2")
    visit.rank()
    visit.page.fill("#threshold", "-1.5")  # moved after the ranking: the link has what is shown
    link = copied(visit)
    assert link.startswith(f"{service.url}/?top_k=2&threshold=-1.5#rank=")
    shown, ids = visit.text("#rank-result h2"), visit.column("id")
    with Visit.to(browser, service, link.removeprefix(service.url)) as other:
        asked: list[str] = []
        other.page.on("request", lambda request: asked.append(request.url))
        other.page.reload()
        other.page.wait_for_selector(TITLE)
        assert (other.text("#rank-result h2"), other.column("id")) == (shown, ids)
        assert other.page.input_value("#sequences") == LINES
        assert [other.page.input_value(f"#{name}") for name in ("top_k", "threshold")] == ["2", "-1.5"]
        assert f"{service.url}/rank?top_k=10000&threshold=-3e38" in asked
        assert not any("rank=" in each for each in asked)
        assert copied(other) == link
        assert faults(other) == []


def test_back_and_reload_keep_what_was_done_with_a_link(visit: Visit) -> None:
    visit.go(f"/#rank={fragment(LINES.encode())}")
    visit.page.wait_for_selector(TITLE)
    visit.paste(f"{DESIGN}\n")
    visit.rank()
    visit.page.wait_for_selector("#rank-result h2 >> text=of 1 sequence")
    assert "#" not in visit.address
    visit.page.reload()
    visit.page.wait_for_selector("#rank-result h2 >> text=of 1 sequence")
    visit.page.go_back()
    visit.page.wait_for_selector("#rank-result h2 >> text=of 3 sequences")
    assert visit.page.input_value("#sequences") == LINES
    visit.page.click("#rank-undo >> text=Undo")
    assert visit.page.input_value("#sequences") == f"{DESIGN}\n"
    assert "#" not in visit.address


def test_a_files_link_brings_the_file(visit: Visit, browser: Any, service: Service) -> None:
    visit.drop("#rank-well", "mine.csv", CSV)
    visit.rank()
    visit.page.wait_for_selector(TITLE)
    shown = visit.text("#rank-result h2")
    with Visit.to(browser, service, copied(visit).removeprefix(service.url)) as other:
        other.page.wait_for_selector("#rank-file >> text=mine.csv")
        other.page.wait_for_selector(TITLE)
        assert other.text("#rank-result h2") == shown


def test_an_abstracts_link_opens_its_tab_and_its_labels(visit: Visit, browser: Any, service: Service) -> None:
    visit.page.click("#tab-classify")
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    visit.page.wait_for_selector("#classify-result .pills")
    link, shown = copied(visit, "#classify-result"), visit.text("#classify-result .pills")
    with Visit.to(browser, service, link.removeprefix(service.url), viewport=DESK | {"width": 320}) as other:
        other.page.wait_for_selector("#classify-result .pills")
        assert other.page.is_visible("#panel-classify")
        assert (other.page.input_value("#abstract"), other.text("#classify-result .pills")) == (ABSTRACT, shown)
        assert other.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        assert faults(other) == []


def test_what_a_link_replaces_comes_back(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.paste("My own words.", "#abstract")
    visit.page.evaluate("link => { location.hash = link; }", f"classify={fragment(ABSTRACT.encode())}")
    visit.page.wait_for_selector("#classify-result .pills")
    visit.page.click("#classify-file >> text=Undo")
    assert visit.page.input_value("#abstract") == "My own words."


def test_an_input_too_long_for_a_link_becomes_a_job_with_an_address(visit: Visit) -> None:
    visit.paste(fasta(proteins(120)))
    visit.rank()
    visit.page.wait_for_selector("#rank-result .share >> text=too long")
    visit.page.click("#rank-result .share >> text=Run as a job")
    visit.page.wait_for_selector("#rank-result .again", timeout=60_000)
    assert re.search(r"[?]job=[\w-]+$", visit.address)


def test_other_models_than_those_of_a_link_are_told(visit: Visit) -> None:
    visit.go(f"/#rank={fragment(LINES.encode(), made='stability-trypsin 0')}")
    visit.page.wait_for_selector("#rank-result .share .notice >> text=stability-trypsin 0")
    visit.rank()
    visit.page.wait_for_selector("#rank-result .share >> text=Copy link")
    assert visit.page.locator("#rank-result .share .notice").count() == 0


@pytest.mark.parametrize("form", ["rank", "classify"])
@pytest.mark.parametrize(
    "text", ["", "!", "AAAA", "<img/src=x>", "A" * 9000, fragment(LINES.encode())[:-9], fragment(b"A" * 3_000_000)]
)
def test_a_link_that_is_damaged_or_a_bomb_is_refused_in_words(visit: Visit, form: str, text: str) -> None:
    visit.page.goto(f"{visit.service.url}/#{form}={text}")
    visit.page.wait_for_selector(f"#{form}-result .problem >> text=The link could not be opened")
    assert visit.page.is_visible(f"#panel-{form}")
    assert visit.page.input_value("#sequences") == ""


def test_a_link_that_holds_markup_shows_it(visit: Visit) -> None:
    link = fragment(f">{MARKUP}\n{DESIGN}\n".encode(), name=f"{MARKUP}.fasta", made=MARKUP)
    visit.go(f"/?column={MARKUP}&top_k={MARKUP}#rank={link}")
    visit.page.wait_for_selector("#rank-error:visible")  # the number that is none is said at the form
    assert visit.page.input_value("#column") == MARKUP
    visit.page.fill("#top_k", "5")
    visit.page.fill("#column", "")
    visit.rank()
    assert MARKUP in visit.text("#rank-file")
    assert visit.column("id") == ["<img"]
    visit.go(f"/?top_k=5#rank={link}")
    visit.page.wait_for_selector("#rank-result .share .notice")
    assert MARKUP in visit.text("#rank-result .share .notice")
    assert visit.page.evaluate("window.run") is None
    assert visit.page.locator("img[src=x]").count() == 0
