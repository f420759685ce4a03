"""What people have done is not lost: options in the address, text and files over a reload, undo, code, keys."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_looks import faults
from tests.browser.visit import Visit
from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT, CSV, DESIGN, OTHER, POOR

STORED = """() => new Promise(resolve => {
  const opening = indexedDB.open("assay", 1);
  opening.onupgradeneeded = () => opening.transaction.abort();  // the page has not made it yet
  opening.onerror = () => resolve(false);
  opening.onsuccess = () => {
    const database = opening.result, asked = database.transaction("files").objectStore("files").count();
    asked.onsuccess = () => { database.close(); resolve(asked.result > 0); };
  };
})"""
LINES = f"{DESIGN}\n{OTHER}\n{POOR}\n"


def ranked(visit: Visit) -> None:
    visit.page.wait_for_selector("#rank-result h2 >> text=the gate")


def test_reload_and_back_bring_text_options_and_result(visit: Visit) -> None:
    visit.paste(LINES)
    visit.rank()
    ranked(visit)
    visit.page.fill("#top_k", "1")
    visit.rank()
    assert "top_k=1" in visit.address
    first = visit.text("#rank-result h2")
    visit.page.reload()
    ranked(visit)
    assert visit.page.input_value("#sequences") == LINES
    assert visit.page.input_value("#top_k") == "1"
    assert visit.text("#rank-result h2") == first
    visit.page.go_back()
    visit.page.wait_for_function("() => document.getElementById('top_k').value === '100'")
    ranked(visit)
    visit.page.click("nav >> text=API")
    visit.page.wait_for_selector("#swagger-ui")
    visit.page.go_back()
    ranked(visit)
    assert visit.page.input_value("#sequences") == LINES
    visit.page.click("#rank-clear")
    visit.page.reload()
    visit.page.wait_for_selector("#about-rank:not([hidden])", state="attached")
    assert visit.page.input_value("#sequences") == ""


def test_options_of_an_address_are_those_of_the_form(visit: Visit) -> None:
    visit.go("/?top_k=7&threshold=-0.5&strict=1&gate_model=stability-trypsin")
    visit.page.wait_for_function("() => document.getElementById('gate_model').value === 'stability-trypsin'")
    values = [visit.page.input_value(f"#{name}") for name in ("top_k", "threshold")]
    assert (values, visit.page.is_checked("#strict")) == (["7", "-0.5"], True)


def test_a_dropped_file_is_there_after_a_reload(visit: Visit) -> None:
    visit.drop("#rank-well", "mine.csv", CSV)
    visit.rank()
    ranked(visit)
    visit.page.wait_for_function(STORED)
    visit.page.reload()
    visit.page.wait_for_selector("#rank-file:visible >> text=mine.csv")
    ranked(visit)


def test_what_an_example_replaces_comes_back(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.paste("My own words.", "#abstract")
    visit.page.click("#example-abstract")
    visit.page.click("#classify-file >> text=Undo")
    assert visit.page.input_value("#abstract") == "My own words."
    assert not visit.page.is_visible("#classify-file")


def test_every_file_that_is_dropped_is_taken_or_named(visit: Visit) -> None:
    both = [{"name": name, "mimeType": "", "buffer": CSV} for name in ("one.csv", "two.csv")]
    visit.page.set_input_files("#input_file", both[:1])
    assert "Not taken" not in visit.text("#rank-file")
    visit.page.evaluate(
        """() => { const carried = new DataTransfer();
        for (const name of ["one.csv", "two.csv"]) carried.items.add(new File(["x"], name));
        document.dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true})); }"""
    )
    assert "Not taken: two.csv" in visit.text("#rank-file")
    visit.page.click("#tab-classify")
    good = {"name": "good.txt", "mimeType": "text/plain", "buffer": ABSTRACT.encode()}
    picture = {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(5000)}
    visit.page.set_input_files("#abstract-file", [good, picture])
    visit.page.wait_for_selector("#classify-file:visible >> text=photo.png")
    visit.classify()
    visit.page.wait_for_selector("#classify-result .map")
    entries = visit.page.locator("#classify-result .entry").all_inner_texts()
    assert ["good.txt" in entries[0], "picture (PNG)" in entries[1]] == [True, True]
    assert faults(visit) == []


def test_more_abstracts_than_a_request_takes_are_offered_a_job(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.paste("\n---\n".join([ABSTRACT] * 65), "#abstract")
    visit.classify()
    assert "65 abstracts" in visit.text("#classify-result")
    assert "deleted after" in visit.text("#classify-result")
    assert faults(visit) == []


@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_code_that_is_shown_answers_what_the_page_shows(visit: Visit, tmp_path: Path, language: str) -> None:
    (tmp_path / "designs.fasta").write_text(f">a\n{DESIGN}\n>b\n{OTHER}\n")
    visit.page.fill("#top_k", "2")
    visit.page.fill("#threshold", "-9")
    visit.page.click("#code-rank summary")
    visit.page.select_option("#code-rank select", language)
    code = visit.text("#code-rank pre")
    command = ["bash", "-c", code] if language == "curl" else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count(DESIGN) + done.stdout.count(OTHER) == 2
    assert faults(visit) == []


def test_keys_lead_to_the_box_through_the_result_and_tell_of_themselves(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.page.locator("body").press("/")
    assert visit.page.evaluate("document.activeElement.id") == "abstract"
    visit.paste("\n---\n".join([ABSTRACT] * 3), "#abstract")
    visit.page.press("#abstract", "Control+Enter")
    visit.page.wait_for_selector("#classify-result .map")
    visit.page.evaluate("document.activeElement.blur()")
    for key, begins in (("j", "1."), ("j", "2."), ("k", "1.")):
        visit.page.keyboard.press(key)
        assert visit.page.evaluate("document.activeElement.textContent").startswith(begins)
    visit.page.keyboard.press("?")
    assert "previous row" in visit.text("dialog[open]")
    assert faults(visit) == []
    visit.page.keyboard.press("Escape")
    visit.page.locator("dialog[open]").wait_for(state="detached")


def test_without_javascript_nothing_is_shown_that_is_dead(browser: Any, service: Service) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/")
    assert not any(page.is_visible(f"#{name}") for name in ("sequences", "example-sequences", "rank-clear", "key-open"))
    assert page.is_visible("#rank .primary")
    context.close()


def test_the_labels_of_an_abstract_are_explained_in_its_own_words(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.paste(f"\u00e9 \U0001d49c {ABSTRACT} It is good. We thank the referees.", "#abstract")
    visit.classify()
    text = visit.page.input_value("#abstract")
    visit.page.click("text=Why these labels?")
    visit.page.wait_for_selector(".explained mark")
    assert visit.page.text_content(".explained .why") == text
    reply = visit.service.post("/classify?explain=true", json={"abstract": text}).json()["results"][0]
    words = {token["text"] for token in reply["explanation"][0]["tokens"]}
    shown = {word.strip() for word in visit.page.locator(".explained mark").all_text_contents()}
    assert shown <= {part for word in words for part in (word, *word.split())} | words
    assert faults(visit) == []


WAITS = [("rank", "**/rank?*", "#example-sequences"), ("classify", "**/classify", "#example-abstract")]


@pytest.mark.parametrize(("form", "route", "example"), WAITS, ids=["rank", "classify"])
def test_a_run_says_how_long_it_takes_and_moves_nothing(visit: Visit, form: str, route: str, example: str) -> None:
    held: list[Any] = []
    visit.page.route(route, lambda request: held.append(request))
    visit.page.click(f"#tab-{form}")
    height = "document.documentElement.scrollHeight"
    before = visit.page.evaluate(height)
    visit.page.clock.install(time=0)
    visit.page.clock.pause_at(1000)
    visit.page.click(example)
    visit.page.wait_for_selector(f"#{form}-result .placeholder")
    waits = visit.page.evaluate(height)
    assert waits >= before
    assert visit.text(f"#{form}-result .elapsed") == ""
    visit.page.clock.run_for(999)
    assert visit.text(f"#{form}-result .elapsed") == ""
    visit.page.clock.run_for(1)
    assert visit.text(f"#{form}-result .elapsed") == "1 s"
    assert visit.page.evaluate(height) == waits
    visit.page.clock.resume()
    assert faults(visit) == []
    held[0].continue_()
    visit.page.wait_for_selector(f"#{form}-result table")
    assert visit.page.locator(".waiting").count() == 0


def test_residues_without_marks_stay_so_in_this_browser(visit: Visit) -> None:
    def fill(selector: str) -> str:
        first = visit.page.locator(f"{selector} .residues span").first
        return str(first.evaluate("element => getComputedStyle(element).backgroundColor"))

    clear = "rgba(0, 0, 0, 0)"
    visit.page.click("#example-sequences")
    visit.page.wait_for_selector("#rank-result table")
    assert fill("#rank-result td") != clear
    visit.page.uncheck("#colours")
    visit.page.reload()
    visit.page.wait_for_selector("#colours")
    assert not visit.page.is_checked("#colours")
    assert fill("#rank-result td") == clear
    visit.page.click("#rank-result .table tbody td.sequence")
    assert fill(".drawer") == clear
    visit.page.keyboard.press("Escape")
    visit.page.check("#colours")
    assert fill("#rank-result td") != clear
