import csv
import io

import pytest

from assay.ranking import Partial, Row
from assay.results import harmless, ranking_csv, rejected_csv_header, rejected_rows
from assay.sequences import Reject


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_ranking_has_its_columns_and_those_carried_along() -> None:
    rows = [Row("ACD", 0.1, 1e-08, 7, "p,1", ('say "hi"', "")), Row("DDD", -0.0, 2.0, 1, None, ("two\nlines", "=1+1"))]
    assert read("".join(ranking_csv(Partial(rows, columns=("note", "Score"))))) == [
        ["rank", "sequence", "score", "gate", "line", "id", "note", "input_Score"],
        ["1", "ACD", "0.1", "1e-08", "7", "p,1", 'say "hi"', ""],
        ["2", "DDD", "-0.0", "2.0", "1", "", "two\nlines", "'=1+1"],
    ]


def test_an_empty_ranking_is_a_header() -> None:
    assert "".join(ranking_csv(Partial())) == "rank,sequence,score,gate,line,id\n"


def test_many_rows_come_in_pieces() -> None:
    pieces = list(ranking_csv(Partial([Row("ACD", 1.0, 1.0, line) for line in range(2500)])))
    assert len(pieces) == 4
    assert len(read("".join(pieces))) == 2501


def test_rejects_are_written_as_they_are() -> None:
    rejects = [Reject(3, "residue", "',' at position 2"), Reject(9, "empty", "no residues")]
    text = rejected_csv_header() + "".join(rejected_rows(rejects))
    assert read(text) == [
        ["line", "reason", "detail"],
        ["3", "residue", "',' at position 2"],
        ["9", "empty", "no residues"],
    ]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "-", "+", "-1e", "=", "-\N{BENGALI DIGIT ONE}"]
)
def test_formulas_are_made_text(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "p1", "-1.5", "+2", "-.5e-3", "1=1", " =1"])
def test_numbers_and_other_text_are_left_alone(cell: str) -> None:
    assert harmless(cell) == cell
