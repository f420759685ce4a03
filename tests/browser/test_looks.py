"""Light and dark, on desk and phone, by keyboard and under a stage: axe-core finds nothing, nothing sticks out."""

import re
from importlib.resources import files
from typing import Any

import pytest

from tests.browser.visit import DESK, PHONE, Visit
from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT, SHORT

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOOKS = [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)]


def faults(visit: Visit) -> list[str]:
    """Return what axe-core finds wrong once no colour changes any more, each with where."""
    visit.settled()
    if not visit.page.evaluate("'axe' in window"):
        visit.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = visit.page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def sticks_out(visit: Visit) -> bool:
    return bool(visit.page.evaluate("document.scrollingElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize(("scheme", "screen"), LOOKS, ids=str)
def test_everybody_can_use_it(browser: Any, service: Service, scheme: str, screen: dict[str, int]) -> None:
    with Visit.to(browser, service, color_scheme=scheme, viewport=screen) as visit:
        assert (faults(visit), sticks_out(visit)) == ([], False)
        visit.page.click("#example-sequences")
        visit.page.wait_for_selector("#rank-result table")
        visit.page.click("summary >> text=More options")
        visit.page.click("summary >> text=About these models")
        assert (faults(visit), sticks_out(visit)) == ([], False)
        visit.page.check("#strict")
        visit.paste(SHORT)
        visit.rank()
        visit.page.wait_for_selector("#rank-result .problem")
        assert (faults(visit), sticks_out(visit)) == ([], False)
        visit.page.click("#tab-classify")
        visit.page.click("#example-abstract")
        visit.page.wait_for_selector("#classify-result table")
        visit.page.click("text=All 18 probabilities")
        assert (faults(visit), sticks_out(visit)) == ([], False)
        visit.paste(f"{ABSTRACT}\n---\n{ABSTRACT}\n---\nshort", "#abstract")
        visit.classify()
        visit.page.wait_for_selector("#classify-result .map")
        assert (faults(visit), sticks_out(visit)) == ([], False)
        visit.page.click("#key-open")
        assert faults(visit) == []


@pytest.mark.parametrize(("scheme", "screen"), [LOOKS[0], LOOKS[3]], ids=str)
def test_the_models_are_a_page_that_everybody_can_read(
    browser: Any, service: Service, scheme: str, screen: dict[str, int]
) -> None:
    with Visit.to(browser, service, color_scheme=scheme, viewport=screen) as visit:
        visit.page.click("nav >> text=Models")
        visit.page.wait_for_selector("article#stability-trypsin img")
        visit.page.wait_for_function("() => [...document.images].every(each => each.complete && each.naturalWidth)")
        assert (faults(visit), sticks_out(visit)) == ([], False)


def test_a_waiting_job_is_readable_too(visit: Visit) -> None:
    offer = visit.service.post("/uploads", json={"filename": "later.txt", "kind": "rank"}).json()
    visit.go(f"/?job={offer['job_id']}")
    visit.page.wait_for_selector("#rank-result progress")
    assert faults(visit) == []


@pytest.mark.parametrize("path", ["/prod/", "/prod", "/prod/upload", "/prod/upload/", "/upload"])
def test_it_works_wherever_it_lies(visit: Visit, path: str) -> None:
    visit.go(path)
    visit.page.click("#example-sequences")
    visit.page.wait_for_selector("#rank-result table")
    stage = "/prod" if path.startswith("/prod") else ""
    assert visit.page.evaluate("document.querySelector('nav a').pathname") == f"{stage}/docs"
    assert visit.page.evaluate("document.getElementById('rank').action").endswith(f"{stage}/upload_file")


def test_all_of_it_can_be_done_by_keyboard(visit: Visit) -> None:
    visit.page.focus("#tab-rank")
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.is_visible("#panel-classify")
    visit.page.keyboard.press("ArrowRight")
    assert visit.page.is_visible("#panel-rank")
    visit.page.focus("#sequences")
    visit.page.keyboard.insert_text(f"{SHORT}\n")
    reached = []
    for _ in range(12):
        visit.page.keyboard.press("Tab")
        reached.append(visit.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        if reached[-1] == "Rank":
            break
    assert {"input_file", "top_k", "threshold", "More options"} <= set(reached)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#rank-result h2")
    assert "of 0 sequences" in visit.page.text_content("#status")


def test_the_first_key_leads_past_the_head_and_keeps_the_address(visit: Visit) -> None:
    link = visit.page.locator("a.skip")
    assert link.bounding_box()["width"] <= 1
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    box = link.bounding_box()
    assert min(box["x"], box["y"]) >= 0
    assert box["width"] > 100
    assert faults(visit) == []
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.id") == "tab-rank"
    visit.page.click("#tab-classify")
    link.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "content"
    assert visit.address.endswith("/#classify")
    assert visit.page.is_visible("#panel-classify")


def test_without_javascript_the_form_still_answers(browser: Any, service: Service) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/prod/")
    assert "Without JavaScript" in page.inner_text("noscript")
    assert page.get_attribute("#rank", "action") == "upload_file"
    context.close()


@pytest.mark.parametrize("path", ["/docs", "/prod/docs", "/prod/docs/"])
def test_the_apis_viewer_shows_every_route_and_breaks_no_policy(visit: Visit, path: str) -> None:
    visit.page.goto(visit.service.url + path)
    visit.page.wait_for_selector(".opblock")
    description = visit.service.get("/openapi.json").json()
    routes = sum(len(each) for each in description["paths"].values())
    visit.page.wait_for_function("many => document.querySelectorAll('.opblock').length === many", arg=routes)


def test_the_apis_viewer_describes_options_and_fills_in_what_an_operation_needs(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.service.url}/docs#/Sequences/rankSequences")
    page.locator("tr[data-param-name=top_k]", has_text="How many sequences to return").first.wait_for()
    page.goto(f"{visit.service.url}/docs#/Serving%20protocols/modelVersionMetadata")
    page.reload()
    page.locator("#operations-Serving_protocols-modelVersionMetadata button.try-out__btn").click()
    [version] = visit.service.get("/v2/models/stability-trypsin").json()["versions"]
    filled = """([fields, wanted]) =>
      [...document.querySelectorAll(fields)].map(each => each.value).join() === wanted"""
    fields = "#operations-Serving_protocols-modelVersionMetadata tr[data-param-in=path] input"
    page.wait_for_function(filled, arg=[fields, f"stability-trypsin,{version}"])
    assert page.locator(".opblock-deprecated").count() == 5


def test_an_operation_of_the_apis_viewer_fits_a_phone(browser: Any, service: Service) -> None:
    with Visit.to(browser, service, viewport=PHONE | {"width": 320}) as visit:
        visit.page.goto(f"{service.url}/docs#/Sequences/rankSequences")
        visit.page.locator("tr[data-param-name=top_k]").first.wait_for()
        visit.page.wait_for_selector(".responses-table")
        assert not sticks_out(visit)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_apis_viewer_keeps_to_the_colours_of_the_system_and_leads_home(
    browser: Any, service: Service, scheme: str
) -> None:
    with Visit.to(browser, service, color_scheme=scheme) as visit:
        visit.page.goto(f"{service.url}/prod/docs")
        visit.page.wait_for_selector(".opblock")
        back = visit.page.evaluate("getComputedStyle(document.querySelector('.swagger-ui')).backgroundColor")
        dark = sum(map(int, re.findall(r"\d+", back)[:3])) < 200 and "0, 0, 0, 0" not in back
        assert dark == (scheme == "dark"), back
        visit.page.click("nav >> text=Assay")
        visit.page.wait_for_selector("#rank")
        assert visit.address == f"{service.url}/prod/"
