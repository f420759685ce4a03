"""A job over abstracts shows its labels: counted over the whole file, the first as a heat map, and why on demand."""

import csv
import io
import json
from typing import Any

import pytest

from tests.browser.test_classify import OTHER, printed
from tests.browser.test_looks import faults
from tests.browser.visit import Visit
from tests.e2e.samples import ABSTRACT

TEXTS = [ABSTRACT, "short", OTHER, f"{OTHER} {ABSTRACT}"]


def as_csv(texts: list[str]) -> bytes:
    made = io.StringIO()
    csv.writer(made).writerows([["id", "abstract"], *((f"p{at}", text) for at, text in enumerate(texts))])
    return made.getvalue().encode()


def opened(visit: Visit, body: bytes, name: str = "papers.csv") -> dict[str, Any]:
    done = visit.service.drop(f"classify/{name}", body)
    visit.go(f"/?job={done['job_id']}")
    visit.page.wait_for_selector("#classify-result .map")
    return done


def test_labels_are_counted_and_mapped_and_tell_why_by_the_file(visit: Visit) -> None:
    done = opened(visit, as_csv(TEXTS))
    counts = done["label_counts"]
    shown = dict(zip(visit.column("label", ".tally table"), visit.column("abstracts", ".tally table"), strict=True))
    assert {name.split("\n")[0]: int(number) for name, number in shown.items()} == counts
    bars = visit.page.locator(".tally .meter i").evaluate_all("bars => bars.map(each => parseFloat(each.style.width))")
    assert bars == pytest.approx([100 * number / 3 for number in counts.values()], abs=0.01)
    assert visit.page.locator(".map tbody tr").count() == 3
    assert [head.strip() for head in visit.page.locator(".map tbody th").all_inner_texts()] == [
        "1. p0",
        "2. p2",
        "3. p3",
    ]
    visit.page.click(".map tbody button >> nth=1")
    with visit.page.expect_file_chooser() as chooser:
        visit.page.click("details[open] .why-bar button")
    chooser.value.set_files({"name": "papers.csv", "mimeType": "", "buffer": as_csv(TEXTS)})
    visit.page.wait_for_selector(".explained mark")
    assert visit.page.text_content(".explained .why") == OTHER
    visit.page.click(".map tbody button >> nth=0")
    visit.page.click("details[open] .why-bar button:has-text('Why')")
    visit.page.locator(".explained").nth(1).wait_for()
    assert faults(visit) == []
    visit.page.emulate_media(media="print")
    label = visit.page.input_value(".explained select >> nth=0")
    assert visit.text(".explained .printed >> nth=0") == f"Why {label}"
    assert not visit.page.is_visible(".explained select >> nth=0")
    places = visit.page.locator(".map th").evaluate_all("cells => cells.map(each => getComputedStyle(each).position)")
    assert set(places) == {"static"}  # what sticks in a print covers rows


def test_another_file_is_not_taken_for_the_jobs(visit: Visit) -> None:
    opened(visit, as_csv(TEXTS))
    visit.page.click(".map tbody button >> nth=0")
    with visit.page.expect_file_chooser() as chooser:
        visit.page.click("details[open] .why-bar button")
    chooser.value.set_files({"name": "papers.csv", "mimeType": "", "buffer": as_csv(TEXTS[::-1])})
    visit.page.wait_for_selector(".why-bar .field-error")
    assert "not the one" in visit.text(".why-bar .field-error")


def test_one_of_many_in_a_request_tells_why(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    body = "\n".join(json.dumps({"id": f"p{at}", "abstract": text}) for at, text in enumerate(TEXTS)).encode()
    visit.drop("#classify-well", "papers.jsonl", body)
    visit.classify()
    visit.page.click(".map tbody button >> nth=2")
    visit.page.click("details[open] .why-bar button")
    visit.page.wait_for_selector(".explained mark")
    assert visit.page.text_content(".explained .why") == OTHER


def test_a_paper_of_a_job_tells_why_without_its_file(visit: Visit, browser: Any) -> None:
    page = f"<h1>Cells</h1><p>A. Author</p><h2>Abstract</h2><p>{OTHER}</p><h2>1. Introduction</h2><p>Cells grow.</p>"
    opened(visit, printed(browser, page), "paper.pdf")
    visit.page.click(".map tbody button")
    visit.page.click("details[open] .why-bar button")
    visit.page.wait_for_selector(".explained mark")
    assert visit.page.text_content(".explained .why") == OTHER
