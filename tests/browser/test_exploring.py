"""A ranking is looked through: filters, selection, plots, one row, windows, prints. What is said always holds."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.browser.test_looks import faults, sticks_out
from tests.browser.test_rank import MANY, answer, two
from tests.browser.visit import DESK, Visit
from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT, DESIGN, OTHER, POOR, SHORT
from tools.demo.proteins import fasta, proteins

BAR = "#rank-result .tools"
TABLE = "#rank-result .sheet"
NUMBERED = f"id,sequence,mw_da,note\na,{OTHER},800,x\nb,{DESIGN},10022.2,y\nc,{POOR},9196,\n".encode()


def ranked(visit: Visit, text: str | bytes, threshold: str = "-9") -> None:
    if isinstance(text, bytes):
        visit.drop("#rank-well", "a.fasta" if text.startswith(b">") else "a.csv", text)
    else:
        visit.paste(text)
    visit.page.fill("#threshold", threshold)
    visit.rank()


def status(visit: Visit) -> str:
    return str(visit.page.text_content("#status"))


def saved(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(visit.saved(f"{BAR} >> text=JSON"))
    return found


def test_a_threshold_that_cannot_be_applied_changes_nothing_that_is_shown_or_saved(visit: Visit) -> None:
    reply = answer(visit, MANY, top_k="20", threshold="-1.2")

    def first_many(route: Any) -> None:
        """Answer like a service with more scores than it may send, then with what it was asked for."""
        cut = "top_k=10000" in route.request.url
        route.fulfill(json=reply | {"counts": reply["counts"] | {"passed": 11_323}} if cut else reply)

    visit.page.route("**/rank?*", first_many)
    visit.page.fill("#top_k", "20")
    ranked(visit, MANY, "-1.2")
    heading, rows = visit.text("#rank-result h2"), visit.column("id")
    for field, value in (("#threshold", "1.3"), ("#top_k", "10"), ("#top_k", "500")):
        visit.page.fill(field, value)
        assert "was made with another minimum gate" in visit.text("#rank-result .stale")
        assert (visit.text("#rank-result h2"), visit.column("id")) == (heading, rows)
        assert "threshold 1.3" not in visit.page.inner_html("#rank-result .plots")
        record = saved(visit)
        assert record["options"] == {"top_k": 20, "threshold": -1.2}
        assert record["counts"] == reply["counts"]
        assert record["ranked"] == reply["ranked"]
    visit.page.fill("#threshold", "-1.2")
    visit.page.fill("#top_k", "20")
    assert visit.page.locator("#rank-result .stale").count() == 0


def test_a_result_says_when_the_form_asks_for_something_else(visit: Visit) -> None:
    ranked(visit, MANY)
    visit.page.fill("#sequences", DESIGN)
    assert "have changed since" in visit.text("#rank-result .stale")
    visit.page.click("text=Rank again")
    visit.page.wait_for_selector("#rank-result[aria-busy=false]")
    assert visit.text("#rank-result h2") == "1 of 1 sequence passes the gate"
    assert visit.page.locator("#rank-result .stale").count() == 0


def test_a_threshold_beyond_the_axis_is_not_drawn_on_it(visit: Visit) -> None:
    ranked(visit, MANY, "99")
    gate = visit.page.locator(".plots svg.plot").first
    assert gate.locator("line.threshold").count() == 0
    assert gate.locator("text.threshold").inner_html() == "threshold 99 \u2192"
    assert visit.page.locator("#rank-result .legend").is_hidden()
    visit.page.fill("#threshold", "-10")
    assert gate.locator("text.threshold").inner_html() == "\u2190 threshold \u221210"
    low = min(float(text.replace("\u2212", "-")) for text in gate.locator(".tick:not(.title)").all_text_contents())
    assert low > -5


def test_nothing_that_could_be_scored_leaves_no_stray_words_and_the_counts_agree(visit: Visit) -> None:
    ranked(visit, f"{SHORT}\n" * 1500)
    words = visit.text("#rank-result")
    assert not re.search(r"^0$", words, re.MULTILINE)
    assert "1,500 rejected of the first 1,000: 1,000 wrong length" in words
    assert "hydrophobic" not in words


def test_numeric_columns_sort_and_filter_as_numbers(visit: Visit) -> None:
    ranked(visit, NUMBERED)
    visit.page.click(f"{TABLE} th >> text=mw_da")
    assert visit.column("mw_da") == ["10022.2", "9196", "800"]
    assert visit.page.locator(f"{TABLE} td.number", has_text="9196").count() == 1
    visit.page.click(f"{BAR} >> text=Filters")
    visit.page.get_by_label("Filter mw_da").fill("<9500")
    assert visit.column("mw_da") == ["9196", "800"]
    assert "2 of 3 rows" in visit.text(f"{BAR} .found")
    visit.page.get_by_label("Filter note").fill("X")
    assert visit.column("id") == ["a"]
    assert [row["id"] for row in saved(visit)["ranked"]] == ["a"]


def overlapping(visit: Visit) -> list[str]:
    """Return the titles of axes that lie on a number."""
    script = """() => [...document.querySelectorAll("#rank-result .plot")].flatMap(plot => {
      const boxes = name => [...plot.querySelectorAll(name)].map(each => each.getBoundingClientRect());
      const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
      return boxes(".title").filter(a => boxes(".tick:not(.title)").some(b => meet(a, b))).map(a => a.left); })"""
    return [str(each) for each in visit.page.evaluate(script)]


def test_ten_thousand_rows_scroll_search_and_keep_few_elements(visit: Visit) -> None:
    visit.page.fill("#top_k", "10000")
    ranked(visit, fasta(proteins(600)).encode())
    assert visit.page.locator(f"{TABLE} tbody tr").count() < 80
    rows = [row["id"] for row in answer(visit, fasta(proteins(600)), threshold="-9", top_k="10000")["ranked"]]
    visit.page.evaluate(f"document.querySelector('{TABLE}').scrollTop = 1e7")
    visit.page.wait_for_selector(f"{TABLE} tbody tr >> text={rows[-1]}", state="attached")
    assert visit.column("id")[-1] == rows[-1]
    assert overlapping(visit) == []
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("design-60")
    assert set(visit.column("id")) == {name for name in rows if "design-60" in name}
    assert visit.page.locator(f"{TABLE} thead").bounding_box() is not None


def test_selected_rows_are_what_is_saved_in_every_form(visit: Visit) -> None:
    ranked(visit, MANY)
    names = visit.column("id")
    visit.page.get_by_label(f"Select {names[1]}", exact=True).check()
    visit.page.get_by_label(f"Select {names[3]}", exact=True).click(modifiers=["Shift"])
    assert "Save 3 selected" in visit.text(BAR)
    assert [row["id"] for row in saved(visit)["ranked"]] == names[1:4]
    rows = list(csv.DictReader(io.StringIO(visit.saved(f"{BAR} >> text=CSV"))))
    assert [row["id"] for row in rows] == names[1:4]
    with visit.page.expect_download() as download:
        visit.page.click(f"{BAR} >> text=Excel")
    sheet = CalamineWorkbook.from_path(str(download.value.path())).get_sheet_by_index(0).to_python()
    assert sheet[0] == list(rows[0])
    assert [line[sheet[0].index("id")] for line in sheet[1:]] == names[1:4]
    assert [line[sheet[0].index("score")] for line in sheet[1:]] == [float(row["score"]) for row in rows]
    visit.page.click("text=Clear selection")
    assert "Save all 100" in visit.text(BAR)


def test_points_are_brushed_into_the_table_and_read_by_keys(visit: Visit) -> None:
    ranked(visit, MANY)
    cloud = visit.page.locator(".plots svg.plot").nth(2)
    cloud.scroll_into_view_if_needed()
    box = cloud.bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 45, steps=4)
    visit.page.mouse.up()
    told = status(visit)
    chosen = [row["id"] for row in saved(visit)["ranked"]]
    assert 0 < len(chosen) < 100
    assert told.strip() == f"{len(chosen)} rows selected."
    cloud.focus()
    visit.page.keyboard.press("ArrowRight")
    assert f"{visit.column('id')[0]}, score" in status(visit)
    visit.page.keyboard.press("Enter")
    assert visit.text(".drawer h2") == visit.column("id")[0]


def test_the_threshold_is_dragged_in_the_plot_and_bars_are_read_by_keys(visit: Visit) -> None:
    ranked(visit, MANY, "0")
    gate = visit.page.locator(".plots svg.plot").first
    gate.scroll_into_view_if_needed()
    box = gate.locator(".grip").bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] / 2 - 60, box["y"] + 40, steps=3)
    visit.page.mouse.up()
    moved = visit.page.input_value("#threshold")
    assert float(moved) < -0.1
    assert saved(visit)["counts"]["passed"] == answer(visit, MANY, threshold=moved)["counts"]["passed"]
    gate.focus()
    visit.page.keyboard.press("End")
    assert re.search(r"pass, \d+ do not", status(visit))


@pytest.mark.parametrize("kind", ["SVG", "PNG"])
def test_every_plot_can_be_saved(visit: Visit, kind: str) -> None:
    ranked(visit, f"{DESIGN}\n{OTHER}\n")
    visit.page.click("summary >> text=Sequence logo")
    visit.drawn()
    for button in visit.page.locator(f"#rank-result .save >> text={kind}").all():
        with visit.page.expect_download() as download:
            button.click()
        held = Path(download.value.path()).read_bytes()
        assert held.startswith(b"<svg" if kind == "SVG" else b"\x89PNG")
        assert len(held) > 1500
        assert b"<script" not in held


def test_a_row_opens_with_its_cut_sites_and_gives_the_focus_back(visit: Visit) -> None:
    ranked(visit, f">sp|P0A7B8|X\n{DESIGN}\n>other\n{OTHER}\n")
    visit.page.get_by_label("Select other").focus()
    visit.page.click(f"{TABLE} tr:has-text('P0A7B8') td.sequence")
    drawer = visit.text(".drawer")
    sites = [at + 1 for at, letter in enumerate(DESIGN[:-1]) if letter in "KR" and DESIGN[at + 1] != "P"]
    assert f"trypsin (K, R): {len(sites)}" in drawer
    assert f"{DESIGN[sites[0] - 1]}{sites[0]}," in drawer
    links = visit.page.locator(".drawer a")
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer external"}
    assert "UniProt P0A7B8" in drawer
    assert visit.copied("text=Copy FASTA") == f">sp|P0A7B8|X\n{DESIGN}\n"
    assert faults(visit) == []
    visit.page.keyboard.press("Escape")
    visit.page.locator(".drawer").wait_for(state="detached")


def test_a_longer_protein_is_offered_its_windows_and_shown_along_its_length(visit: Visit) -> None:
    ranked(visit, f">long\n{DESIGN}{OTHER}\n")
    assert "ranked far less well" in visit.text("#rank-result .remedy")
    visit.page.click("#rank-result .remedy button")
    visit.page.wait_for_selector("#rank-result .profile")
    assert "51 received" in visit.text("#rank-result .counts")
    lines = visit.saved("#rank-result .profile >> text=GFF3").splitlines()
    assert lines[0] == "##gff-version 3"
    assert [line.split("\t")[3:5] for line in lines[1:]] == [[str(at), str(at + 49)] for at in range(1, 52)]
    assert saved(visit)["options"]["window"] == 50
    assert "1, 1" not in visit.text("#rank-result")  # windows of a protein share its line, which is named once


def test_numbers_and_what_is_odd_stand_before_the_sequence_in_sight(visit: Visit) -> None:
    ranked(visit, f">low\n{'L' * 50}\n>design\n{DESIGN}\n")
    box = visit.page.locator(TABLE).bounding_box()
    for title in ("score", "gate", "probability", "percentile", "notice"):
        cell = visit.page.locator(f"{TABLE} thead th", has_text=title).bounding_box()
        assert cell["x"] + cell["width"] < box["x"] + box["width"], title
    buttons = visit.page.locator(f"{BAR} .saves button").all()
    assert len({button.bounding_box()["y"] for button in buttons}) == 1


def test_a_table_without_the_column_offers_those_it_has(visit: Visit) -> None:
    visit.drop("#rank-well", "a.csv", f"name,weird,n\na,{DESIGN},1\nb,{OTHER},2\n".encode())
    visit.page.click("summary >> text=More options")
    visit.page.fill("#column", "nothing")
    visit.rank()
    visit.page.click("#rank-result .choices >> text=weird")
    visit.page.wait_for_selector("#rank-result h2:has-text('of 2 sequences')")
    assert visit.page.input_value("#column") == "weird"


def test_rejects_have_the_names_of_their_records(visit: Visit) -> None:
    ranked(visit, f">good\n{DESIGN}\n>too-short of a kind\n{SHORT}\n")
    assert visit.column("id", "#rank-result .rejects table") == ["too-short"]


def test_an_example_and_clear_can_be_taken_back(visit: Visit) -> None:
    visit.page.fill("#top_k", "7")
    ranked(visit, MANY, "-0.5")
    before = visit.text("#rank-result h2")
    visit.page.click("#rank-clear")
    assert "Which of your mini-proteins will hold?" in visit.text("#rank-result")
    assert (visit.page.input_value("#sequences"), visit.page.input_value("#top_k")) == ("", "100")
    visit.page.click("#rank-undo >> text=Undo")
    assert (visit.page.input_value("#sequences"), visit.page.input_value("#top_k")) == (MANY, "7")
    assert visit.text("#rank-result h2") == before
    visit.page.click("#example-sequences")
    visit.page.wait_for_selector("#rank-result[aria-busy=false] table")
    visit.page.click("#rank-undo >> text=Undo")
    assert visit.page.input_value("#sequences") == MANY


def test_the_focus_stays_where_it_is_and_ctrl_enter_ranks(visit: Visit) -> None:
    visit.paste(DESIGN)
    visit.page.focus("#sequences")
    visit.page.keyboard.press("Control+Enter")
    visit.page.wait_for_selector("#rank-result h2:has-text('of 1 sequence')")
    visit.page.focus("#rank .primary")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#rank-result[aria-busy=false] table")
    assert visit.page.evaluate("document.activeElement.textContent") == "Rank"


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_a_sequence_fits_into_the_box(browser: Any, service: Service, width: int) -> None:
    with Visit.to(browser, service, viewport={"width": width, "height": 900}) as visit:
        visit.paste(MANY)
        assert visit.page.evaluate("(box => box.scrollWidth <= box.clientWidth)(document.getElementById('sequences'))")


def test_320_pixels_are_enough(browser: Any, service: Service) -> None:
    with Visit.to(browser, service, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True) as visit:
        assert not sticks_out(visit)
        visit.page.click("#example-sequences")
        visit.page.wait_for_selector(f"{TABLE} tbody td")
        visit.page.click("summary >> text=Sequence logo")
        visit.page.click("summary >> text=More options")
        assert not sticks_out(visit)
        small = "[...document.querySelectorAll('button, summary, select')].filter(each => each.checkVisibility())"
        assert visit.page.evaluate(f"{small}.filter(each => each.offsetHeight < 24).map(each => each.outerHTML)") == []
        fields = "[...document.querySelectorAll('input:not([type=checkbox]), textarea')]"
        small = f"{fields}.filter(each => parseFloat(getComputedStyle(each).fontSize) < 16).map(each => each.outerHTML)"
        assert visit.page.evaluate(small) == []


def test_a_print_has_every_row_and_how_they_were_made(visit: Visit) -> None:
    ranked(visit, MANY)
    visit.page.emulate_media(media="print")
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(visit.column("id")) == 100
    assert visit.page.locator("#rank").is_hidden()
    words = visit.text("#rank-result .methods")
    assert re.search(r"stability-trypsin \S+; the best 100 are listed", words)
    assert "doi:10.1126/science.aan0693" in words
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    visit.page.emulate_media(media="screen")
    assert len(visit.column("id")) < 100


def test_a_print_lists_rejects_and_has_titles_but_no_buttons(visit: Visit) -> None:
    ranked(visit, "\n".join([DESIGN, *["MKV"] * 30]))
    assert visit.page.locator("#rank-result .rejects td >> text=wrong length").first.is_hidden()
    visit.page.emulate_media(media="print")
    assert visit.page.locator("#rank-result .rejects td >> text=wrong length").first.is_visible()
    assert not any(each.is_visible() for each in visit.page.locator("#rank-result .share button").all())
    visit.page.emulate_media(media="screen")
    visit.page.click("#tab-classify")
    visit.paste(f"{ABSTRACT}\n---\n{ABSTRACT}", "#abstract")
    visit.classify()
    visit.page.locator("#classify-result summary").first.click()
    visit.page.emulate_media(media="print")
    assert visit.page.locator("#classify-result h2").is_visible()
    buttons = visit.page.locator("#classify-result button:not(.map button)").all()
    assert not any(each.is_visible() for each in buttons)


def test_probability_percentile_and_notice_are_shown_where_a_reply_has_them(visit: Visit) -> None:
    reply = answer(visit, f"{DESIGN}\n{OTHER}\n", threshold="-9")
    first, second = reply["ranked"]
    first |= {"probability": 0.996, "percentile": 99.97}
    second |= {"probability": 0.0004, "percentile": 12.34, "notice": "low_complexity"}
    visit.page.route("**/rank?*", lambda route: route.fulfill(json=reply))
    ranked(visit, f"{DESIGN}\n{OTHER}\n")
    assert visit.column("probability") == [">0.99", "<0.01"]
    assert visit.column("percentile") == [">99.9", "12.3"]
    assert visit.column("notice") == ["", "low complexity"]
    head = visit.saved(f"{BAR} >> text=CSV").splitlines()[0].split(",")
    assert head[-3:] == ["probability", "percentile", "notice"]
    assert saved(visit)["ranked"] == reply["ranked"]


def test_the_miniature_of_the_first_view_is_what_the_example_gives(visit: Visit) -> None:
    shown = visit.page.locator("#miniature tr").all()
    rows = {row.locator("td").nth(0).inner_text(): row.locator("td").all_inner_texts() for row in shown}
    visit.page.click("#example-sequences")
    visit.page.wait_for_selector("#rank-result[aria-busy=false] table")
    example = visit.page.input_value("#sequences")
    found = {row["id"]: row for row in answer(visit, example, threshold="-9")["ranked"]}
    for name, (_, score, gate, _) in rows.items():
        for text, value in ((score, found[name]["score"]), (gate, found[name]["gate"])):
            assert abs(float(text.replace("\u2212", "-")) - value) < 0.05, two(value)


def test_the_miniature_of_the_abstracts_is_what_their_example_gives(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    assert "1,742 abstracts" in visit.text("#classify-quality")
    rows = [row.locator("td").all_inner_texts() for row in visit.page.locator("#miniature-labels tr").all()]
    visit.page.click("#example-abstract")
    visit.page.wait_for_selector("#classify-result .labels")
    [found] = visit.service.post("/classify", json={"abstract": visit.page.input_value("#abstract")}).json()["results"]
    [model] = [each for each in visit.service.get("/models").json()["models"] if "thresholds" in each]
    for label, probability, threshold, words in rows:
        assert abs(float(probability) - found["scores"][label]) < 0.02, label
        assert float(threshold) == pytest.approx(model["thresholds"][label], abs=0.005)
        assert words.startswith("listed") == (label in [each["label"] for each in found["labels"]])


def test_everybody_can_use_a_ranking(browser: Any, service: Service) -> None:
    for scheme in ("light", "dark"):
        with Visit.to(browser, service, color_scheme=scheme, viewport=DESK) as visit:
            ranked(visit, f">a\n{DESIGN}\n>b\n{OTHER}\n>c\n{POOR}\n>long\n{DESIGN}{OTHER}\n", "0")
            visit.page.click(f"{BAR} >> text=Filters")
            visit.page.click("summary >> text=Sequence logo")
            visit.page.click("summary >> text=Methods and citation")
            visit.page.get_by_label("Select all rows").check()
            visit.page.fill("#sequences", DESIGN)
            assert faults(visit) == []
            visit.page.locator(f"{TABLE} td.sequence").first.click()
            assert faults(visit) == []
