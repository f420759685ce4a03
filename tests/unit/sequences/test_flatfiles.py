"""FASTQ, flat files of databases and alignments are the sequences in them, with the lines of the file."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidOption, UnreadableInput
from assay.sequences.blocks import Block, decode
from assay.sequences.composition import entropy, tell_dna, tell_simple
from assay.sequences.contract import DEFAULT, Windows
from assay.sequences.formats import Format, sniff_format
from assay.sequences.parsing import parse
from assay.text.records import notice
from tests.unit.reference import flat

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
OTHER = GOOD[::-1]
FASTQ = f"@a first\n{GOOD}\n+\n{'@' * 50}\n@b\n{OTHER}\n+b\n{'I' * 50}\n"
WRAPPED = f"@a\n{GOOD[:20]}\n{GOOD[20:]}\n+\n@{'+' * 19}\n{'@' * 30}\n\n@b\n{OTHER}\n+\n{'>' * 50}\n"
GENPEPT = f"""LOCUS       ABC12345                  50 aa            linear   BCT 01-JAN-2020
DEFINITION  a protein.
FEATURES             Location/Qualifiers
ORIGIN
        1 {" ".join(GOOD[at : at + 10].lower() for at in range(0, 50, 10))}
//
LOCUS       DEF                       50 aa            linear   BCT 01-JAN-2020
ORIGIN
        1 {OTHER.lower()}
//
"""
SWISS = f"""ID   A1_HUMAN                Reviewed;          50 AA.
AC   P12345;
DE   RecName: Full=Protein;
SQ   SEQUENCE   50 AA;  5000 MW;  0123456789ABCDEF CRC64;
     {" ".join(GOOD[at : at + 10] for at in range(0, 50, 10))}
//
ID   B2_HUMAN                Unreviewed;        50 AA.
SQ   SEQUENCE   50 AA;  5000 MW;  0123456789ABCDEF CRC64;
     {OTHER[:30]}
     {OTHER[30:]}
//
"""
STOCKHOLM = f"""# STOCKHOLM 1.0
#=GF ID   TEST
a/1-50   {GOOD[:25]}--{GOOD[25:30]}
b        {OTHER[:20]}.....{OTHER[20:27]}
#=GC SS  HHHH

a/1-50   {GOOD[30:]}
b        {OTHER[27:]}
//
"""
CLUSTAL = f"""CLUSTAL O(1.2.4) multiple sequence alignment


a      {GOOD[:30]}- 30
b      {OTHER[:31]} 31
       **  *

a      {GOOD[30:]} 50
b      {OTHER[31:]}- 50
"""
FILES = {
    "fastq": (FASTQ, ["a", "b"], [1, 5]),
    "wrapped fastq": (WRAPPED, ["a", "b"], [1, 8]),
    "genbank": (GENPEPT, ["ABC12345", "DEF"], [1, 7]),
    "embl": (SWISS, ["A1_HUMAN", "B2_HUMAN"], [1, 7]),
    "stockholm": (STOCKHOLM, ["a/1-50", "b"], [3, 4]),
    "clustal": (CLUSTAL, ["a", "b"], [4, 5]),
}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 17, 100_000])
@pytest.mark.parametrize("called", ["", "a.txt", "a.csv", "a.fasta"])
def test_sequences_are_found_with_names_and_lines(name: str, end: str, size: int, called: str) -> None:
    text, names, lines = FILES[name]
    data = text.replace("\n", end).encode()
    fmt = sniff_format(data, "", called)
    assert fmt.value in name
    blocks = list(parse(cut(data, size), fmt))
    assert [record.reason for record in flat(blocks)] == ["", ""]
    assert [record.line for record in flat(blocks)] == lines
    assert [each for block in blocks for each in block.ids or []] == names
    assert [each for block in blocks for each in decode(block.codes)] == [GOOD, OTHER]


@given(
    st.lists(
        st.tuples(st.text("ACDE", min_size=1, max_size=12), st.text("@+>I!", min_size=12, max_size=12)),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 9),
)
def test_quality_is_never_taken_for_anything(records: list[tuple[str, str]], size: int) -> None:
    text = "".join(f"@r\n{residues}\n+\n{quality[: len(residues)]}\n" for residues, quality in records)
    found = list(flat(parse(cut(text.encode(), size), Format.FASTQ)))
    assert [record.line for record in found] == [1 + 4 * at for at in range(len(records))]
    assert {record.reason for record in found} == {"length"}


def test_a_broken_record_is_rejected_and_the_next_ones_are_read() -> None:
    text = f"@a\n{GOOD}\n+\n{'I' * 50}\nnonsense\n@b\n{OTHER}\n+\n{'I' * 50}\n"
    found = list(flat(parse([text.encode()], Format.FASTQ)))
    assert [(record.line, record.reason) for record in found] == [(1, ""), (5, "empty"), (6, "")]


def test_windows_run_along_what_is_read_as_fasta() -> None:
    text = SWISS.replace(GOOD[-10:] + "\n//", GOOD[-10:] + "\n     AA\n//")
    blocks = list(parse([text.encode()], Format.EMBL, windows=Windows(50)))
    assert [name for block in blocks for name in block.ids or []][:3] == [
        "A1_HUMAN/1-50",
        "A1_HUMAN/2-51",
        "A1_HUMAN/3-52",
    ]
    with pytest.raises(InvalidOption, match="window"):
        list(parse([STOCKHOLM.encode()], Format.STOCKHOLM, windows=Windows(50)))


def test_gaps_of_an_alignment_are_told() -> None:
    notices = [each for block in parse([STOCKHOLM.encode()], Format.STOCKHOLM) for each in block.notices]
    assert [each.code for each in notices] == ["gaps_removed"]


@pytest.mark.parametrize(
    "head",
    [
        b"LOCUS       AB000001                 500 bp    DNA     linear   BCT 01-JAN-2020\n",
        b"ID   X56734; SV 1; linear; mRNA; STD; PLN; 1859 BP.\n",
    ],
)
def test_records_of_nucleotides_are_refused(head: bytes) -> None:
    with pytest.raises(UnreadableInput, match="of nucleotides"):
        sniff_format(head)


@pytest.mark.parametrize(
    ("head", "column", "fmt"),
    [
        (b"name,aa_seq\np,ACD\n", "aa_seq", Format.CSV),
        (b"ACD\n", "aa_seq", Format.CSV),
        (b'[{"aa": "ACD"}]', "aa", Format.JSON),
        (b"sequence\nACD\n", None, Format.CSV),
    ],
)
def test_a_column_means_a_table(head: bytes, column: str | None, fmt: Format) -> None:
    assert sniff_format(head, "text/plain", "x.txt", column) is fmt


@pytest.mark.parametrize("text", [">a\nACD\n", FASTQ, STOCKHOLM])
def test_a_column_of_what_has_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="column is for CSV and JSON"):
        sniff_format(text.encode(), column="x")


def told(data: bytes, fmt: Format) -> list[str]:
    blocks: Iterator[Block] = parse([data], fmt)
    return [each.code for block in tell_dna(blocks, data[:1000], fmt, DEFAULT) for each in block.notices]


DNA = ("ACGTN" * 10).encode()


@pytest.mark.parametrize(
    ("data", "fmt", "is_dna"),
    [
        (DNA + b"\n" + DNA.lower(), Format.LINES, True),
        (b"sequence\n" + DNA, Format.CSV, True),
        (json.dumps([DNA.decode()]).encode(), Format.JSON, True),
        (b"> a read\nACGU\nACGUACGUACGUACGUACGU\n", Format.FASTA, True),
        (b"ACGTACGTACGTACGTACGTACGTACGTACGTACGT\n" * 3, Format.LINES, True),
        (b"@r\nACGTACGTACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIIIIIIIIIII\n", Format.FASTQ, True),
        (FASTQ.encode(), Format.FASTQ, False),
        (DNA + b"\n" + GOOD.encode(), Format.LINES, False),
        (GOOD.encode() + b"\n" + DNA, Format.LINES, False),
        (b"AC\n", Format.LINES, False),
        (b"", Format.LINES, False),
    ],
)
def test_dna_is_told_where_all_of_it_is(data: bytes, fmt: Format, is_dna: bool) -> None:
    assert told(data, fmt) == ["looks_like_dna"] * is_dna


def test_low_complexity_is_told_with_the_lines() -> None:
    assert entropy("A" * 50) == 0
    assert entropy(GOOD) > 2.5
    assert tell_simple([(1, GOOD)]) == []
    [said] = tell_simple([(7, "AE" * 25), (1, GOOD), (3, "A" * 50)])
    assert (said.code, said.lines, said.count) == ("low_complexity", (3, 7), 2)
    assert said == notice("low_complexity", said.message, [3, 7])


def test_a_line_of_an_alignment_that_is_too_long_leaves_no_sequence_without_its_part() -> None:
    text = f"# STOCKHOLM 1.0\na {GOOD}\n\na {'A' * 2_000_000}\n//\n"
    with pytest.raises(UnreadableInput, match="line 4 of the alignment"):
        list(parse([text.encode()], Format.STOCKHOLM))
