"""An abstract, several, or a PDF become labels with their probabilities and thresholds."""

import csv
import gzip
import io
import json
from typing import Any

import pytest

from tests.browser.visit import Visit
from tests.e2e.samples import ABSTRACT
from tests.workbooks import workbook

PAPER = """<h1>Photon pairs at colliders</h1><p>A. Author, University</p><h2>Abstract</h2>
<p>{}</p><h2>1. Introduction</h2><p>Photons are everywhere.</p>"""
OTHER = (
    "We study the growth of bacterial populations in a fluctuating environment with a stochastic model of gene "
    "expression, and show that heterogeneity of single cells raises the fitness of the population."
)


@pytest.fixture
def visit(visit: Visit) -> Visit:
    visit.page.click("#tab-classify")
    return visit


@pytest.fixture(scope="session")
def paper(browser: Any) -> bytes:
    """A PDF that Chromium printed."""
    return printed(browser, PAPER.format(OTHER))


def printed(browser: Any, html: str) -> bytes:
    page = browser.new_page()
    page.set_content(html)
    body = bytes(page.pdf())
    page.close()
    return body


def test_an_abstract_becomes_bars_with_their_thresholds(visit: Visit) -> None:
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    reply = visit.service.post("/classify", json={"abstract": ABSTRACT}).json()["results"][0]
    pills = visit.page.locator("#classify-result .pills li").all_inner_texts()
    assert [pill.split()[0] for pill in pills] == [label["label"] for label in reply["labels"]]
    width, place = visit.page.evaluate(
        """() => [...document.querySelector(".labels .meter").children].map((part, i) =>
        (i ? part.offsetLeft + 1 : part.offsetWidth) / part.parentNode.offsetWidth)"""
    )
    threshold = visit.column(5, "#classify-result")[0]
    assert width == pytest.approx(reply["labels"][0]["score"], abs=0.01)
    assert place == pytest.approx(float(threshold), abs=0.02)


def test_all_probabilities_are_there_on_request(visit: Visit) -> None:
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    assert visit.page.locator(".labels tbody tr").count() < 18
    visit.page.click("text=All 18 probabilities")
    assert visit.page.locator(".labels tbody tr").count() == 18
    assert visit.page.get_attribute("button:has-text('Fewer')", "aria-expanded") == "true"
    assert len(visit.saved("#classify-result .tools >> text=CSV").splitlines()) == 19
    assert len(json.loads(visit.saved("#classify-result .tools >> text=JSON"))["scores"]) == 18


def test_the_text_of_a_pdf_is_shown_and_can_be_corrected(visit: Visit, paper: bytes) -> None:
    visit.drop("#classify-well", "paper.pdf", paper, "application/pdf")
    visit.classify()
    assert "From paper.pdf: the text under its heading." in visit.text("#classify-result .notice")
    assert visit.page.input_value("#abstract") == OTHER
    before = visit.column(4, "#classify-result")
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    assert visit.column(4, "#classify-result") != before
    assert visit.page.locator("#classify-result .notice").count() == 0


def test_another_passage_of_a_pdf_can_be_chosen(visit: Visit, browser: Any) -> None:
    two = PAPER.replace("<h2>1. Introduction", f"<h2>Summary</h2><p>{ABSTRACT}</p><h2>1. Introduction")
    visit.choose("two.pdf", printed(browser, two.format(OTHER)), "#abstract-file")
    visit.classify()
    assert visit.page.input_value("#abstract") == OTHER
    first = visit.column(4, "#classify-result")
    visit.page.click("#classify-result summary:has-text('may be the abstract')")
    visit.page.click("#classify-result .candidates li:has-text('under its heading') >> text=Classify this")
    visit.page.wait_for_function("text => document.getElementById('abstract').value === text", arg=ABSTRACT)
    visit.page.wait_for_selector("#classify-result[aria-busy=false] .meter")
    assert visit.page.locator("#classify-result .notice").count() == 0
    assert visit.column(4, "#classify-result") != first


def test_a_text_longer_than_the_model_reads_says_so(visit: Visit) -> None:
    visit.paste(" ".join([ABSTRACT] * 40)[:4900], "#abstract")
    visit.classify()
    assert "longer than the model reads" in visit.text("#classify-result .hint")


def test_a_pdf_without_text_says_what_to_do(visit: Visit, browser: Any) -> None:
    empty = printed(browser, "<div style='width: 9em; height: 9em; background: teal'></div>")
    visit.choose("scan.pdf", empty, "#abstract-file")
    visit.classify()
    assert "scan" in visit.text("#classify-result .problem").lower()


def test_a_text_file_fills_the_box(visit: Visit) -> None:
    visit.drop("#classify-well", "abstract.txt", ABSTRACT.encode(), "text/plain")
    visit.page.wait_for_selector("#abstract-count >> text=characters")
    assert visit.page.input_value("#abstract") == ABSTRACT


def test_several_abstracts_are_answered_each(visit: Visit) -> None:
    visit.paste(f"{ABSTRACT}\n---\ntoo short\n---\n{OTHER}", "#abstract")
    visit.classify()
    entries = visit.page.locator("#classify-result .entry")
    assert entries.count() == 3
    assert "50" in entries.nth(1).inner_text()
    entries.nth(2).locator("summary").first.click()
    entries.nth(2).locator(".meter").first.wait_for()
    lines = visit.saved("#classify-result .tools:has(h2) >> text=CSV").splitlines()
    assert [line.split(",")[0] for line in lines] == ["abstract", "1", "2", "3"]


def test_an_entry_that_is_opened_before_the_next_frame_is_filled(visit: Visit) -> None:
    visit.page.evaluate("() => { window.requestAnimationFrame = draw => setTimeout(draw, 300); }")
    visit.page.evaluate("""new MutationObserver(() => {
      for (const entry of document.querySelectorAll("#classify-result details.entry")) entry.open = true;
    }).observe(document.querySelector("#classify-result"), {childList: true, subtree: true})""")
    visit.paste(f"{ABSTRACT}\n---\n{OTHER}", "#abstract")
    visit.classify()
    for entry in visit.page.locator("#classify-result .entry").all():
        entry.locator(".meter").first.wait_for()


def test_a_notice_names_abstracts_of_the_box_and_not_lines(visit: Visit) -> None:
    french = "Le chat est sur la table et il mange du poisson avec plaisir chaque jour de la semaine. " * 3
    visit.paste(f"{ABSTRACT}\n---\n{french}", "#abstract")
    visit.classify()
    visit.page.wait_for_selector("#classify-result .map")
    assert "abstract 2" in visit.text("#classify-result .notices")
    assert "line" not in visit.text("#classify-result .notices")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "#classify-error", "Paste"),
        ("short", "#classify-error", "at least 50"),
        ("x" * 5001, "#classify-error", "5,001"),
    ],
)
def test_what_is_no_abstract_is_refused(visit: Visit, text: str, place: str, said: str) -> None:
    visit.paste(text, "#abstract")
    visit.page.click("#classify .primary")
    visit.page.wait_for_selector(f"{place}:visible")
    assert said in visit.text(f"{place}:visible")


def table(rows: int, text: str = ABSTRACT) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([("id", "abstract"), *((f"p{at}", text) for at in range(rows))])
    return out.getvalue().encode()


RECORDS = [{"id": "p0", "abstract": ABSTRACT}, {"id": "p1", "abstract": OTHER}]


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("a.csv", "text/csv", table(2)),
        ("A.TSV", "", f"id\tabstract\np0\t{ABSTRACT}\np1\t{OTHER}\n".encode()),
        ("a.csv.gz", "application/gzip", gzip.compress(table(2))),
        ("a.json", "application/json", json.dumps(RECORDS, indent=1).encode()),
        ("a.jsonl", "", "".join(json.dumps(each) + "\n" for each in RECORDS).encode()),
        ("strings.jsonl", "", "".join(json.dumps(each["abstract"]) + "\n" for each in RECORDS).encode()),
        ("a.txt", "text/plain", json.dumps(RECORDS).encode()),
        ("a.csv", "application/vnd.ms-excel", table(2).decode().encode("utf-16")),
        ("a.xlsx", "", workbook([["id", "abstract"], ["p0", ABSTRACT], ["p1", OTHER]])),
    ],
)
def test_a_file_of_many_is_answered_record_by_record(visit: Visit, name: str, kind: str, body: bytes) -> None:
    visit.drop("#classify-well", name, body, kind)
    visit.page.wait_for_selector(f"#classify-file:visible >> text={name}")
    assert visit.page.input_value("#abstract") == ""
    visit.classify()
    assert visit.text("#classify-result h2") == "2 abstracts"
    entries = visit.page.locator("#classify-result .entry").all_inner_texts()
    assert len(entries) == 2
    assert name.startswith("strings") or all(f"p{at}" in each for at, each in enumerate(entries))
    lines = visit.saved("#classify-result .tools:has(h2) >> text=CSV").splitlines()
    assert len(lines) == 3


def test_a_table_of_more_than_a_request_takes_becomes_a_job(visit: Visit) -> None:
    visit.drop("#classify-well", "many.csv", table(65) + b"last,short\n")
    visit.page.click("#classify .primary")
    visit.page.wait_for_selector("#classify-result .source", timeout=60_000)
    assert "66 received" in visit.text("#classify-result .counts")
    assert "65 classified" in visit.text("#classify-result .counts")
    assert visit.text("#classify-result .rejects summary").startswith("1 rejected")
    assert "job=" in visit.address
    visit.page.click("#classify-clear")
    assert "job=" not in visit.address


@pytest.mark.parametrize(
    ("name", "kind", "body", "said"),
    [
        ("photo.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "picture (PNG)"),
        ("photo.txt", "text/plain", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "picture (PNG)"),
        ("noise.dat", "", bytes(range(256)) * 20, "binary data"),
        ("refs.bib", "", f"@article{{a,\n abstract = {{{ABSTRACT}}}\n}}".encode(), "BibTeX"),
        ("page.html", "text/html", f"<!doctype html><p>{ABSTRACT}".encode(), "HTML page"),
        ("big.png", "image/png", b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), "picture (PNG)"),
        ("titles.csv", "text/csv", b"id,title\n1,x\n", "no column"),
    ],
)
def test_what_holds_no_abstract_is_refused_in_words(visit: Visit, name: str, kind: str, body: bytes, said: str) -> None:
    visit.drop("#classify-well", name, body, kind)
    visit.page.wait_for_selector(f"#classify-file:visible >> text={name}")
    visit.classify()
    assert said in visit.text("#classify-result .problem")
    assert visit.page.locator("#classify-result .labels").count() == 0
    assert visit.page.input_value("#abstract") == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"x" * 3_000_000, "3.0 MB"), (b"Schr\xf6dinger found " * 9, "not UTF-8")],
    ids=["large", "latin"],
)
def test_a_text_that_no_box_can_hold_is_refused_when_it_is_dropped(visit: Visit, body: bytes, said: str) -> None:
    visit.drop("#classify-well", "notes.txt", body, "text/plain")
    visit.page.wait_for_selector("#classify-error:visible")
    assert said in visit.text("#classify-error")
    assert visit.page.input_value("#abstract") == ""


def test_a_text_in_utf_16_fills_the_box(visit: Visit) -> None:
    visit.drop("#classify-well", "abstract.txt", f"{ABSTRACT} \u00e9\u4e2d".encode("utf-16"), "text/plain")
    visit.page.wait_for_selector("#abstract-count >> text=characters")
    assert visit.page.input_value("#abstract") == f"{ABSTRACT} \u00e9\u4e2d"
