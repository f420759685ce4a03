"""Names of carried columns: each once, in any letters' case, and JSON, CSV and Parquet call them alike."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UnreadableInput
from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import carried_names, ranking_csv
from assay.sequences.carried_columns import MAX_CELL, MAX_COLUMNS, MAX_NAME, RESERVED, CarriedCells, name_columns
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from rank.reply import FirstRejects, write_body
from tests.unit.reference import SMALL, Fake

NAMES = st.lists(
    st.sampled_from(["note", "Note", "", "score", "Score", "input_score", "note.1", "rank", "ß", "SS", "column_2"])
    | st.text(max_size=3),
    max_size=12,
)


@given(NAMES)
def test_each_name_stands_once_whatever_its_case_and_is_none_of_ours(names: list[str]) -> None:
    found = name_columns(names)
    folded = [name.casefold() for name in found]
    assert len(set(folded)) == len(names)
    assert not RESERVED & {*folded}
    assert "" not in found


@given(NAMES)
def test_names_that_are_right_are_left_alone_so_that_naming_twice_is_naming_once(names: list[str]) -> None:
    found = name_columns(names)
    assert name_columns(found) == found
    assert {name.casefold() for name in names if name} - RESERVED <= {name.casefold() for name in found}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["note", "note", "Note"], ("note", "note.1", "Note.2")),
        (["score", "input_score", "Score"], ("input_score.1", "input_score", "input_Score.2")),
        (["", "a", ""], ("column_1", "a", "column_3")),
        (["note.1", "note", "note"], ("note.1", "note", "note.2")),
    ],
)
def test_what_they_become(names: list[str], found: tuple[str, ...]) -> None:
    assert name_columns(names) == found


def outcome(data: bytes) -> tuple[list[dict[str, object]], str, list[str]]:
    """Rank a CSV; return the rows of the JSON reply, the CSV, and the codes of the notices."""
    model = Fake(lambda text: text.count("D") + 1.0)
    blocks = parse([data], Format.CSV, SMALL)
    found = rank_blocks(blocks, model, model, RankOptions(), deduplicate=True, on_rejects=lambda _: None)
    body = json.loads(json.dumps(write_body(found, FirstRejects(), {})))
    return body["ranked"], "".join(ranking_csv(found)), [each["code"] for each in body["notices"]]


HEADER = "id,sequence,note,note,score,input_score,Score,,\n"


def test_json_and_csv_agree_and_lose_nothing() -> None:
    [row], text, codes = outcome(f"{HEADER}a,ACD,x,y,1,2,3,4,5\n".encode())
    [written] = csv.DictReader(io.StringIO(text))
    carried = row["columns"]
    assert isinstance(carried, dict)
    assert sorted(carried.values()) == ["1", "2", "3", "4", "5", "x", "y"]
    assert {name: written[name] for name in carried} == carried
    assert codes == ["duplicate_columns"]


def test_columns_named_like_ours_are_renamed_without_a_word() -> None:
    assert outcome(b"id,sequence,Score\na,ACD,1\n")[2] == []


def test_a_ranking_ranked_again_and_again_stays_readable() -> None:
    text = "id,sequence,note\na,ACD,x\nb,ADD,y\n"
    for _ in range(3):
        rows, text, _ = outcome(text.encode())
        [header, *lines] = csv.reader(io.StringIO(text))
        assert len({name.casefold() for name in header}) == len(header)
        assert all(len(line) == len(header) for line in lines)
        assert [row["id"] for row in rows] == ["b", "a"]
    assert {"note", "input_rank", "input_rank.1", "input_line"} <= {*header}


@given(st.lists(st.text("=+-@'ab", max_size=2), max_size=8))
def test_names_of_result_files_stay_apart_when_they_are_made_harmless(names: list[str]) -> None:
    found = [name.casefold() for name in carried_names(names)]
    assert len(set(found)) == len(names)


def test_names_columns_and_cells_have_their_bounds() -> None:
    [row], _, codes = outcome(f"sequence,{'n' * 300},b\nACD,1,{'x' * (MAX_CELL + 1)}\n".encode())
    carried = row["columns"]
    assert isinstance(carried, dict)
    assert [len(name) for name in carried] == [MAX_NAME, 1]
    assert len(carried["b"]) == MAX_CELL
    assert codes == ["cut_cells", "duplicate_columns"]
    with pytest.raises(UnreadableInput, match=r"4,097 columns, but at most 4,096"):
        outcome(b"sequence" + b",c" * MAX_COLUMNS + b"\nACD\n")


def test_rows_of_other_widths() -> None:
    rows, text, codes = outcome(b"sequence,a,b\nACD\nACC,1\nADD,1,2,\nDDD,1,2,3\n")
    assert [row.get("columns") for row in rows] == [
        {"a": "1", "b": "2"},
        {"a": "1", "b": "2"},
        None,
        {"a": "1"},
    ]
    assert {len(line) for line in csv.reader(io.StringIO(text))} == {8}
    assert codes == ["uneven_rows"]


@pytest.mark.parametrize(("cells", "noticed"), [("", False), (",b", True), (",b,c", False)])
def test_lines_within_a_cell_are_noticed_where_they_have_the_headers_cells(cells: str, noticed: bool) -> None:
    text = f'sequence,note\n{"ACDEFGHIKL" * 5},"a\n{"ACDEFGHIKL" * 5}{cells}\nd"\n'
    told = [note for block in parse([text.encode()], Format.CSV) for note in block.notices]
    assert [(note.code, note.lines) for note in told] == ([("quoted_lines", (3,))] if noticed else [])


@given(st.integers(1, 3), st.integers(0, 4))
def test_cells_held_by_column_are_rows(width: int, count: int) -> None:
    columns = [[f"{at}{row}" for row in range(count)] for at in range(width)]
    cells, rows = CarriedCells(columns), [tuple(column[row] for column in columns) for row in range(count)]
    assert len(cells) == count
    assert cells == rows
    assert cells != [*rows, ("",)]
    assert [*cells] == [cells[at] for at in range(count)] == cells[:] == rows
    assert cells[1:] == rows[1:]
