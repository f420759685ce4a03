"""The table and its plots as they are read: what is where, long names, numbers that agree."""

import re

import pytest

from tests.browser.test_jobs import ended
from tests.browser.test_rank import MANY
from tests.browser.visit import Visit
from tests.e2e.samples import DESIGN, OTHER, POOR
from tools.demo.proteins import fasta, proteins

TABLE = "#rank-result .sheet"


def ranked(visit: Visit, text: str, threshold: str = "-9") -> None:
    visit.paste(text)
    visit.page.fill("#threshold", threshold)
    visit.rank()
    visit.page.wait_for_selector(f"{TABLE} tbody td")


def heights(visit: Visit) -> list[float]:
    rows = visit.page.locator(f"{TABLE} tbody tr").all()
    return [float(row.bounding_box()["height"]) for row in rows]


def test_the_name_stands_beside_the_rank_and_numbers_before_the_sequence(visit: Visit) -> None:
    ranked(visit, f">one\n{DESIGN}\n>two\n{OTHER}\n")
    order = [visit.place(title, TABLE) for title in ("rank", "id", "score", "gate", "probability", "sequence", "line")]
    assert order == sorted(order)
    assert order[1] == order[0] + 1


def test_long_names_and_texts_keep_a_row_as_high_as_any_other(visit: Visit) -> None:
    ranked(visit, f"id,sequence,note,remark\na,{DESIGN},x,y\n{'very-long-name-' * 16},{OTHER},{'word ' * 90},z\n")
    assert max(heights(visit)) - min(heights(visit)) <= 1  # a border
    cell = visit.page.locator(f"{TABLE} td.name", has_text="very-long-name").first
    assert cell.get_attribute("title") == "very-long-name-" * 16
    assert visit.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_axes_have_names_and_units_and_write_numbers_as_the_table_does(visit: Visit) -> None:
    ranked(visit, f">one\n{DESIGN}\n>two\n{OTHER}\n>three\n{POOR}\n")
    titles = visit.page.locator("#rank-result .plot .title").all_text_contents()
    assert [title for title in titles if "log10 fold" in title and title.startswith(("gate", "score"))]
    assert titles.count("sequences") == 2
    negative = [each for each in visit.column("score") + visit.column("gate") if not each[0].isdigit()]
    ticks = [each for each in visit.page.locator("#rank-result .tick").all_text_contents() if re.search(r"\d$", each)]
    assert negative
    assert {each[0] for each in [*negative, *ticks] if not each[0].isdigit()} == {"\u2212"}


def test_a_threshold_far_from_all_data_leaves_the_axes_to_the_data(visit: Visit) -> None:
    ranked(visit, f">one\n{DESIGN}\n>two\n{OTHER}\n>three\n{POOR}\n", "-10")
    ticks = visit.page.locator("#rank-result figure >> nth=0 >> .tick").all_text_contents()
    numbers = [float(each.replace("\u2212", "-")) for each in ticks if re.fullmatch(r"\u2212?[\d.]+", each)]
    assert min(numbers) > -5


@pytest.mark.parametrize("rows", [61, 300])
def test_every_row_of_a_jobs_table_is_reached_by_scrolling(visit: Visit, rows: int) -> None:
    body = fasta(proteins(80)).encode()
    summary = visit.service.drop(f"rank/{rows}.fasta", body, threshold="-9", **{"top-k": str(rows)})
    visit.go(f"/?job={summary['job_id']}")
    ended(visit)
    visit.page.evaluate(f"document.querySelector('{TABLE}').scrollTop = 1e7")
    visit.page.wait_for_selector(f"{TABLE} tr[aria-rowindex='{rows + 1}']", state="attached")
    assert visit.column("rank")[-1] == str(rows)


def test_a_ranking_that_came_back_is_printed_whole(visit: Visit) -> None:
    ranked(visit, MANY)
    visit.page.click("#example-sequences")
    visit.page.wait_for_selector("#rank-result[aria-busy=false] table")
    visit.page.click("#rank-undo >> text=Undo")
    assert len(visit.column("id")) < 100
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(visit.column("id")) == 100
