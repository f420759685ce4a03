"""Sequences pasted, dropped and chosen become a ranking that can be sorted, moved, copied and saved."""

import csv
import gzip
import io
import json
from typing import Any

import pytest

from tests.browser.test_jobs import NOTED
from tests.browser.visit import Visit
from tests.e2e.samples import CSV, DESIGN, FASTA, LINES, OPEN, OTHER, POOR, SHORT
from tools.demo.proteins import fasta, proteins

MANY = fasta(proteins(30))


def answer(visit: Visit, body: str | bytes, **options: str) -> dict[str, Any]:
    """Return what the service says of the same input."""
    data = body.encode() if isinstance(body, str) else body
    reply: dict[str, Any] = visit.service.post("/rank", params=options, files={"input_file": ("x", data)}).json()
    return reply


def two(value: float) -> str:
    """Write a number as the page does."""
    return f"{value:.2f}".replace("-", "\u2212")


def starts(drawn: list[str], rows: list[str]) -> bool:
    """Say whether the rows that are drawn are the first ones; only those in sight are."""
    return drawn == rows[: len(drawn)] and len(drawn) >= min(len(rows), 20)


def title(counts: dict[str, int]) -> str:
    verb = "pass" if counts["passed"] > 1 else "passes"
    return f"{counts['passed'] or 'None'} of {counts['scored']} sequences {verb} the gate"


def test_pasted_sequences_are_ranked_as_the_service_ranks_them(visit: Visit) -> None:
    visit.paste(MANY)
    assert visit.text("#sequences-count") == "153 records, FASTA"
    visit.rank()
    found = answer(visit, MANY)
    assert visit.text("#rank-result h2") == title(found["counts"])
    assert visit.column("sequence") == [row["sequence"] for row in found["ranked"]]
    assert visit.column("score") == [two(row["score"]) for row in found["ranked"]]
    assert visit.column("id") == [row["id"] for row in found["ranked"]]


@pytest.mark.parametrize("threshold", ["-1.2", "-0.35", "0.4", "2"])
def test_a_moved_threshold_gives_what_the_service_gives_without_asking_it(visit: Visit, threshold: str) -> None:
    visit.paste(MANY)
    visit.rank()
    visit.hosts.clear()
    visit.page.fill("#threshold", threshold)
    found = answer(visit, MANY, threshold=threshold)
    assert visit.text("#rank-result h2") == title(found["counts"])
    assert starts(visit.column("sequence"), [row["sequence"] for row in found["ranked"]])
    assert visit.hosts == set()


def test_a_threshold_that_is_a_gate_itself_passes_it_no_more(visit: Visit) -> None:
    gate = answer(visit, MANY)["ranked"][3]["gate"]
    visit.paste(MANY)
    visit.rank()
    visit.page.fill("#threshold", str(gate))
    assert visit.text("#rank-result h2") == title(answer(visit, MANY, threshold=str(gate))["counts"])


def test_the_slider_moves_by_keys_and_the_plots_show_the_threshold(visit: Visit) -> None:
    visit.paste(MANY)
    visit.rank()
    before = visit.text("#rank-result h2")
    gate, score, _ = visit.page.locator(".plots svg.plot").all()
    assert "threshold 0" in gate.get_attribute("aria-label")
    assert "threshold" not in score.get_attribute("aria-label")
    visit.page.focus("input[type=range]")
    for _ in range(40):
        visit.page.keyboard.press("ArrowLeft")
    assert visit.text("#rank-result h2") != before
    assert float(visit.page.input_value("#threshold")) < 0
    assert f"threshold {visit.page.input_value('#threshold')}".replace("-", "\u2212") in gate.inner_html()


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.txt", LINES), ("a.fasta", FASTA), ("a.csv", CSV), ("a.txt.gz", gzip.compress(LINES)), ("no name", FASTA)],
)
def test_a_dropped_file_is_read_whatever_its_form(visit: Visit, name: str, body: bytes) -> None:
    visit.drop("#rank-well" if name == "a.txt" else "footer", name, body)
    assert name in visit.text("#rank-file")
    visit.page.fill("#threshold", "-9")
    visit.rank()
    found = answer(visit, body, **OPEN)
    assert visit.column("sequence") == [row["sequence"] for row in found["ranked"]]
    assert "1 rejected" in visit.text("#rank-result .rejects summary")


def test_a_chosen_file_can_be_taken_back(visit: Visit) -> None:
    visit.choose("mine.txt", LINES)
    assert visit.page.is_hidden("#sequences")
    visit.page.click("#rank-file button")
    assert visit.page.is_visible("#sequences")
    visit.rank()
    assert "Paste sequences or choose a file first." in visit.text("#rank-error")


def test_rejected_records_have_their_line_and_reason(visit: Visit) -> None:
    visit.paste(f"{DESIGN}\n{SHORT}\n\n{'B' * 50}\n")
    visit.rank()
    table = "#rank-result .rejects table"
    assert visit.column("line", table) == ["2", "3", "4"]
    assert visit.column("reason", table) == ["wrong length", "empty", "unknown residue"]
    lines = visit.saved(".rejects >> text=CSV").splitlines()
    assert lines[:2] == ["line,reason,detail", '2,length,"3 residues, expected 50"']


def test_a_header_sorts_by_mouse_and_by_key(visit: Visit) -> None:
    visit.paste(MANY)
    visit.page.fill("#threshold", "-9")
    visit.rank()
    visit.page.click("th >> text=gate")
    assert visit.page.get_attribute("th:has-text('gate')", "aria-sort") == "descending"
    gates = [float(cell.replace("\u2212", "-")) for cell in visit.column("gate")]
    assert gates == sorted(gates, reverse=True)
    assert len(gates) > 20
    visit.page.keyboard.press("Enter")
    assert visit.page.get_attribute("th:has-text('gate')", "aria-sort") == "ascending"


def test_what_is_saved_is_what_the_service_would_have_written(visit: Visit) -> None:
    visit.drop("#rank-well", "a.csv", CSV)
    visit.page.fill("#threshold", "-9")
    visit.rank()
    found = answer(visit, CSV, **OPEN)
    table = list(csv.reader(io.StringIO(visit.saved(".tools >> text=CSV"))))
    assert table[0] == [
        "rank",
        "sequence",
        "score",
        "gate",
        "line",
        "id",
        "note",
        "probability",
        "percentile",
        "notice",
    ]
    assert [(row[1], float(row[2]), float(row[3]), row[6]) for row in table[1:]] == [
        (row["sequence"], row["score"], row["gate"], row["columns"]["note"]) for row in found["ranked"]
    ]
    assert json.loads(visit.saved(".tools >> text=JSON"))["ranked"] == found["ranked"]
    assert visit.saved(".tools >> text=FASTA").splitlines()[1] == found["ranked"][0]["sequence"]
    copied = visit.copied("#rank-result .tools >> text=Copy").splitlines()
    assert copied[1].split("\t")[1] == found["ranked"][0]["sequence"]


def test_names_that_look_like_markup_stay_text(visit: Visit) -> None:
    name = "<img/src=x/onerror=document.title='taken'>"
    visit.drop("#rank-well", f"{name}.fasta", f">{name}\n{OTHER}\n>=cmd()\n{DESIGN}\n".encode())
    assert f"{name}.fasta" in visit.text("#rank-file")
    visit.page.fill("#threshold", "-9")
    visit.rank()
    assert name in visit.column("id")
    assert visit.page.title() == "Assay"
    assert "'=cmd()" in visit.saved(".tools >> text=CSV")


def test_longer_proteins_are_ranked_stretch_by_stretch(visit: Visit) -> None:
    text = f">long\n{DESIGN}{OTHER}\n"
    visit.paste(text)
    visit.page.click("summary >> text=More options")
    visit.page.check("#windows")
    visit.page.fill("#step", "25")
    visit.page.fill("#threshold", "-9")
    visit.rank()
    found = answer(visit, text, **OPEN, window="50", step="25")
    assert len(found["ranked"]) == 3
    assert visit.column("id") == [row["id"] for row in found["ranked"]]
    assert "long/26-75" in visit.column("id")


def test_residues_are_coloured_by_property_and_marked_without_colour(visit: Visit) -> None:
    visit.paste(f"{DESIGN}\n")
    visit.page.fill("#threshold", "-9")
    visit.rank()
    spans = visit.page.locator("#rank-result td .residues span")
    assert "".join(spans.all_inner_texts()) == DESIGN
    assert spans.first.get_attribute("class") == "acidic"
    assert "underline" in spans.first.evaluate("element => getComputedStyle(element).textDecorationLine")
    assert len(visit.page.locator(".legend li").all()) == 5
    visit.page.uncheck("#colours")
    assert spans.first.evaluate("element => getComputedStyle(element).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_none_that_passes_says_what_to_do(visit: Visit) -> None:
    visit.paste(f"{POOR}\n")
    visit.page.fill("#threshold", "5")
    visit.rank()
    assert visit.text("#rank-result h2") == "None of 1 sequence passes the gate"
    assert "lower it" in visit.text("#rank-result .counts")


@pytest.mark.parametrize(("families", "where"), [(300, "#sequences-count"), (4000, "#rank-file")])
def test_thousands_of_pasted_lines_are_there_at_once(visit: Visit, families: int, where: str) -> None:
    text = fasta(proteins(families))
    visit.page.evaluate("text => navigator.clipboard.writeText(text)", text)
    visit.page.focus("#sequences")
    visit.page.keyboard.press("Control+V")
    visit.page.wait_for_selector(f"{where} >> text=/1,503 records, FASTA|pasted.fasta/")
    visit.rank()
    assert f"{families * 5 + 3:,} received" in visit.text("#rank-result .counts")


def test_many_short_lines_are_pasted_at_once_too(visit: Visit) -> None:
    visit.page.evaluate("addEventListener('paste', event => { window.quick = event.defaultPrevented; })")
    visit.page.evaluate("text => navigator.clipboard.writeText(text)", f"{SHORT}\n" * 1500)
    visit.page.focus("#sequences")
    visit.page.keyboard.press("Control+V")
    visit.page.wait_for_selector("#sequences-count >> text=1,500 lines")
    assert visit.page.evaluate("quick")


def test_another_model_may_be_chosen_and_the_answer_says_which_it_was(visit: Visit) -> None:
    models = {"gate_model": "stability-trypsin", "score_model": "stability-chymotrypsin"}
    visit.page.click("summary >> text=More options")
    visit.page.wait_for_selector("#rank-models")
    for name, model in models.items():
        visit.page.select_option(f"#{name}", model)
    visit.paste(MANY)
    visit.rank()
    found = answer(visit, MANY, **models)
    assert visit.text("#rank-result h2") == title(found["counts"])
    assert starts(visit.column("score"), [two(row["score"]) for row in found["ranked"]])
    assert visit.page.locator(r"text=/Score: stability-chymotrypsin \S+\. Gate: stability-trypsin \S+\./").count()


def test_what_was_done_to_the_input_stands_above_the_table(visit: Visit) -> None:
    visit.drop("#rank-well", "noted.csv", NOTED)
    visit.page.fill("#threshold", "-9")
    visit.rank()
    found = answer(visit, NOTED, **OPEN)["notices"]
    assert {"terminator_stripped", "uneven_rows"} <= {each["code"] for each in found}
    assert visit.notices("#rank-result") == [each["code"] for each in found]
    shown = visit.text("#rank-result .notices")
    assert all(each["message"][1:] in shown for each in found)
    assert "(line 3)" in shown
    assert visit.page.get_by_role("list", name="Notes about the input").count() == 1
    above, table = (visit.page.locator(f"#rank-result {each}").first.bounding_box() for each in (".notices", "table"))
    assert above["y"] + above["height"] <= table["y"]
    assert f"{len(found)} notes about the input" in str(visit.page.text_content("#status"))
    assert json.loads(visit.saved(".tools >> text=JSON"))["notices"] == found


def test_an_input_of_which_nothing_is_to_be_said_has_no_notices(visit: Visit) -> None:
    visit.paste(DESIGN)
    visit.rank()
    assert answer(visit, DESIGN)["notices"] == []
    assert visit.notices("#rank-result") == []
    assert visit.page.locator("#rank-result .notices").count() == 0
