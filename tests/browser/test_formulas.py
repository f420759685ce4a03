"""What a spreadsheet would take for a formula is made text by the page as by the service, and had back the same way."""

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

from assay.text.csv_writer import escape_formula, unescape_formula
from portal import pages
from tests.browser.test_jobs import ended
from tests.browser.visit import Visit
from tests.e2e.samples import DESIGN, OTHER

ROOT = Path(__file__).parents[2]
CELLS: dict[str, Any] = json.loads((ROOT / "tests/data/formulas.json").read_text())
ALPHABET = "';=+-@\t\r\n1.eE,\"a \uff1d\uff0b\uff0d\uff20\u2212\u09e7\u2028"
FORMULA, QUOTED, WIDE = "=1+1", "'=1+1", "\uff1dSUM(A1)"


def asked(visit: Visit, function: str, cells: list[str]) -> list[str]:
    """Return what a function of the page's csv.js makes of each cell."""
    module = (Path(pages.__file__).parent / "page/csv.js").read_text(encoding="utf-8")
    script = "\n".join(line for line in module.splitlines() if not line.startswith("import ")).replace("export ", "")
    made: Any = visit.page.evaluate(f"list => {{ {script}\n return list.map(cell => {function}(cell)); }}", cells)
    return list(made)


def test_the_page_and_the_service_agree_on_every_cell(visit: Visit) -> None:
    drawn = random.Random(7)
    cells = [*CELLS["made text"], *CELLS["left alone"], *CELLS["behind a separator"]]
    cells += ["".join(drawn.choices(ALPHABET, k=drawn.randrange(7))) for _ in range(5000)]
    written = asked(visit, "harmless", cells)
    assert written == [escape_formula(cell) for cell in cells]
    assert asked(visit, "plain", cells) == [unescape_formula(cell) for cell in cells]
    assert asked(visit, "plain", written) == cells


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def hostile() -> bytes:
    out = io.StringIO()
    rows = [["id", "sequence", "@note", "n"], [FORMULA, DESIGN, QUOTED, "-1.5"], [WIDE, OTHER, "a;\t=2", "+2"]]
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def shown_and_saved(visit: Visit) -> None:
    """Hold that the page shows what was sent, and saves and copies it so that a spreadsheet computes nothing."""
    assert set(visit.column("id")) == {FORMULA, WIDE}
    assert QUOTED in visit.column("@note")
    head, *rows = table(visit.saved("#rank-result .tools >> text=CSV"))
    assert head[5:8] == ["id", "'@note", "n"]
    assert {tuple(row[5:8]) for row in rows} == {("'=1+1", "''=1+1", "-1.5"), (f"'{WIDE}", "a;\t'=2", "+2")}
    assert {unescape_formula(row[6]) for row in rows} == {QUOTED, "a;\t=2"}
    copied = visit.copied("#rank-result .tools >> text=Copy").splitlines()
    assert {line.split("\t")[5] for line in copied[1:]} == {"'=1+1", f"'{WIDE}"}


def test_a_ranking_at_once_is_saved_without_formulas(visit: Visit) -> None:
    visit.drop("#rank-well", "a.csv", hostile())
    visit.page.fill("#threshold", "-9")
    visit.rank()
    shown_and_saved(visit)


def test_a_jobs_ranking_is_shown_as_it_was_sent_and_saved_without_formulas(visit: Visit) -> None:
    summary = visit.service.drop("rank/formulas.csv", hostile(), threshold="-9")
    visit.go(f"/?job={summary['job_id']}")
    ended(visit)
    shown_and_saved(visit)
