"""What separates cells, and which column holds the sequences: by the header as a whole, quotes respected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.abstracts.abstract_records import AbstractRecord, Layout, read_records
from assay.errors import UnreadableInput
from assay.jobs.planning import header_bytes, line_of, table_shape
from assay.sequences.blocks import Block, decode
from assay.sequences.formats import Format, sniff_format
from assay.sequences.parsing import parse

GOOD = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
OTHER = "DEELERVLRRLLRRGVSPEEIRELIRRKGISPREVEKLLKELKLESSGGS"
MARKS = ["\t", ";", ","]
UNITS = ["ddG (kcal/mol, 25C)", "note; or so", '"a, b"', '"x;y\tz"', "1,5;2", "plain"]


def blocks(text: str, column: str | None = None) -> list[Block]:
    return [block for block in parse([text.encode()], Format.CSV, column=column) if block.received or block.notices]


def found(text: str, column: str | None = None) -> list[tuple[str, str]]:
    pairs = [(block.ids, decode(block.codes)) for block in blocks(text, column)]
    return [pair for ids, texts in pairs for pair in zip(ids or [""] * len(texts), texts, strict=True)]


@given(st.sampled_from(MARKS), st.lists(st.sampled_from(UNITS), max_size=3), st.data())
def test_other_marks_in_names_do_no_harm(mark: str, units: list[str], data: st.DataObject) -> None:
    names = [unit if mark not in unit or unit.startswith('"') else f'"{unit}"' for unit in units]
    header = data.draw(st.permutations(["id", "sequence", *names]))
    cells = {"id": "a", "sequence": GOOD}
    row = [cells.get(name, "1") for name in header]
    assert found(f"{mark.join(header)}\n{mark.join(row)}\n") == [("a", GOOD)]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["seq", "Protein Sequence", "AA", "aa_seq", "Amino-acid sequence", "SEQUENCES"])
def test_names_of_the_column_are_found(name: str, mark: str) -> None:
    text = f"id{mark}{name}{mark}x\na{mark}{GOOD}{mark}1\n"
    assert found(text) == [("a", GOOD)]
    assert sniff_format(text.encode()) is Format.CSV


def test_the_name_itself_goes_before_others() -> None:
    assert found(f"seq,sequence\n{OTHER},{GOOD}\n") == [("", GOOD)]
    assert found(f"seq,sequence\n{OTHER},{GOOD}\n", "seq") == [("", OTHER)]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_names_the_separator_is_obeyed(first: str, end: str) -> None:
    text = end.join([first, "id;sequence;a,b,c", f"a;{GOOD};1,5", ""])
    assert found(text) == [("a", GOOD)]
    assert sniff_format(text.encode()) is Format.CSV
    assert [block.lines.tolist() for block in blocks(text)] == [[3]]


@pytest.mark.parametrize("mark", MARKS)
def test_a_table_without_header_is_read(mark: str) -> None:
    text = f"a{mark}{GOOD}\nb{mark}{OTHER}\n"
    assert sniff_format(text.encode()) is Format.CSV
    assert found(text) == [("a", GOOD), ("b", OTHER)]
    codes = [notice.code for block in blocks(text) for notice in block.notices]
    assert codes == ["no_header"]
    assert [line for block in blocks(text) for line in block.lines.tolist()] == [1, 2]


def test_lines_are_no_tables() -> None:
    for text in (f"{GOOD}\n", "seq\n", "aa\n", "SEQUENCES\n", f"{GOOD} {OTHER}\n", "a\tb\n", f"{GOOD}\t{OTHER}\n"):
        assert sniff_format(text.encode()) is Format.LINES


def test_without_the_column_the_option_is_named() -> None:
    with pytest.raises(UnreadableInput, match=r"it has: name, x\. Name it with the option column=NAME"):
        found("name;x\na;b\n")
    with pytest.raises(UnreadableInput, match=r"no column 'seq'.*column=NAME"):
        found(f"id,sequence\na,{GOOD}\n", "seq")


@pytest.mark.parametrize(
    "text",
    [
        f"sep=;\nid;sequence;a,b\na;{GOOD};x\nb;{OTHER};y\n",
        f"\n\nsep=;\r\nid;sequence;a,b\r\na;{GOOD};x\r\nb;{OTHER};y\r\n",
        f"a\t{GOOD}\nb\t{OTHER}\n",
    ],
)
def test_a_later_shard_reads_as_the_whole_does(text: str) -> None:
    """The pinned header comes before a shard's own rows, the first of which is its line 1."""
    shape = table_shape(text.encode())
    assert shape.splittable
    last = text.encode().splitlines(keepends=True)[-1]
    chunks = [header_bytes(shape.header), last]
    rest = list(parse(chunks, Format.CSV, first_line=line_of(shape.header), begins=False))
    pairs = [(block.ids, decode(block.codes), block.lines.tolist()) for block in rest if block.received]
    assert pairs == [(["b"], [OTHER], [1])]


def test_abstracts_are_found_by_their_column_too() -> None:
    text = "We measure the production of dijets, and compare it: all is well. " * 2
    for mark, units in ((";", "a, b, c"), ("\t", "x; y, z")):
        [record] = read_records([f"id{mark}{units}{mark}abstract\n1{mark}u{mark}{text}\n".encode()], Layout.CSV)
        assert isinstance(record, AbstractRecord)
        assert (record.id, record.text) == ("1", text)


@pytest.mark.parametrize("before", ["; a comment\n", "#A3M#\n", "#50,50\n", ";\n#\n\n"])
def test_comments_before_fasta_are_seen_through(before: str) -> None:
    assert sniff_format(f"{before}>a\n{GOOD}\n".encode()) is Format.FASTA
