import csv
import io
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ranking.ranking import PartialRanking, RankedRow, ranking_csv
from assay.text.csv_writer import REJECTED_HEADER, csv_text, escape_formula, foreign_csv, unescape_formula
from assay.text.records import Reject

CELLS: Final[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "data/formulas.json").read_text())
"""Cells that are taken for formulas and cells that are not; a browser test holds the page to the same."""
_ALPHABET: Final = "';=+-@\t\r\n1.e,\"a\uff1d"
_SIGNS: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_ranking_has_its_columns_and_those_carried_along() -> None:
    rows = [
        RankedRow("ACD", 0.1, 1e-08, 7, "p,1", ('say "hi"', "")),
        RankedRow("DDD", -0.0, 2.0, 1, None, ("two\nlines", "=1+1")),
    ]
    assert read("".join(ranking_csv(PartialRanking(rows, columns=("note", "Score"))))) == [
        ["rank", "sequence", "score", "gate", "line", "id", "note", "input_Score"],
        ["1", "ACD", "0.1", "1e-08", "7", "p,1", 'say "hi"', ""],
        ["2", "DDD", "-0.0", "2.0", "1", "", "two\nlines", "'=1+1"],
    ]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"], ids=ascii)
def test_a_line_end_within_a_cell_begins_no_row(end: str) -> None:
    row = ["1", "ACD", "1.0", "1.0", "1", f"x{end}'=1+1", f"y{end}'@z"]
    text = "".join(
        ranking_csv(PartialRanking([RankedRow("ACD", 1.0, 1.0, 1, f"x{end}=1+1", (f"y{end}@z",))], columns=("note",)))
    )
    assert read(text) == [["rank", "sequence", "score", "gate", "line", "id", "note"], row]
    assert text.count("\n") == 2 + 2 * end.count("\n")


def test_an_empty_ranking_is_a_header() -> None:
    assert "".join(ranking_csv(PartialRanking())) == "rank,sequence,score,gate,line,id\n"


def test_many_rows_come_in_pieces() -> None:
    pieces = list(ranking_csv(PartialRanking([RankedRow("ACD", 1.0, 1.0, line) for line in range(2500)])))
    assert len(pieces) == 3
    assert len(read("".join(pieces))) == 2501


@given(st.lists(st.text("=+@-,\n'ab", max_size=4), min_size=5, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_foreign_cells_are_made_no_formulas_and_the_others_stay(cells: list[str], one: int, other: int) -> None:
    start, stop = sorted((one, other))
    [found] = read(foreign_csv([cells], slice(start, stop)))
    assert found == [escape_formula(cell) if start <= at < stop else cell for at, cell in enumerate(cells)]


def test_rejects_are_written_as_they_are() -> None:
    rejects = [Reject(3, "residue", "',' at position 2"), Reject(9, "empty", "no residues")]
    text = REJECTED_HEADER + csv_text(rejects)
    assert read(text) == [
        ["line", "reason", "detail"],
        ["3", "residue", "',' at position 2"],
        ["9", "empty", "no residues"],
    ]


@pytest.mark.parametrize("cell", CELLS["made text"], ids=ascii)
def test_formulas_are_made_text(cell: str) -> None:
    assert escape_formula(cell) == "'" + cell


@pytest.mark.parametrize("cell", CELLS["left alone"], ids=ascii)
def test_numbers_and_other_text_are_left_alone(cell: str) -> None:
    assert escape_formula(cell) == unescape_formula(cell) == cell


@pytest.mark.parametrize(("cell", "written"), CELLS["behind a separator"].items(), ids=ascii)
def test_formulas_behind_a_separator_are_made_text(cell: str, written: str) -> None:
    assert escape_formula(cell) == written
    assert unescape_formula(written) == cell


@given(st.text(alphabet=_ALPHABET, max_size=8) | st.text(max_size=8))
def test_a_cell_made_harmless_is_had_back_exactly(cell: str) -> None:
    written = escape_formula(cell)
    assert unescape_formula(written) == cell
    assert unescape_formula(unescape_formula(escape_formula(written))) == cell
    assert written.replace("'", "") == cell.replace("'", "")


@pytest.mark.parametrize("cell", ["\t=1", "\r\n=1", "=1;=2", "-1"])
def test_cells_of_results_written_before_separators_counted_are_still_read(cell: str) -> None:
    assert unescape_formula(cell if cell == "-1" else f"'{cell}") == cell


@given(st.lists(st.text(alphabet=_ALPHABET, max_size=6), max_size=4), st.sampled_from(";\t"))
def test_no_cell_of_a_spreadsheet_that_separates_otherwise_is_a_formula(carried: list[str], separator: str) -> None:
    names = tuple(f"c{at}" for at in range(len(carried)))
    text = "".join(ranking_csv(PartialRanking([RankedRow("ACD", 1.0, 1.0, 1, "p", tuple(carried))], columns=names)))
    pieces = [piece for line in re.split("[\r\n]", text) for piece in line.split(separator)]
    assert not [piece for piece in pieces if piece.lstrip('"').startswith(_SIGNS)]


@given(st.text(alphabet="';=-1", max_size=5), st.text(alphabet="';=-1", max_size=5))
def test_two_cells_are_never_written_alike(one: str, other: str) -> None:
    assert (escape_formula(one) == escape_formula(other)) == (one == other)
