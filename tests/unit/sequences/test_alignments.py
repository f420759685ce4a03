"""Rows of alignments are the sequences in them: insertions kept, gaps out on request, none left out or merged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sequences.contract import DEFAULT, Contract, Lenience, Windows
from assay.sequences.formats import Format, sniff_format
from assay.sequences.parsing import parse
from assay.text.records import gather
from tests.unit.reference import Record, flat

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
OTHER = GOOD[::-1]
REMOVED = Contract(lenience=Lenience(gaps=True))
STRUCTURE = "a row of structure, not a sequence: leave it out"
A3M = f""">q master
{GOOD}
>inserted
{OTHER[:20]}---{OTHER[20:25].lower()}{OTHER[25:]}
>nothing
{"-" * 50}
>wrapped
{GOOD[:25]}-
--{GOOD[25:]}
"""
STOCKHOLM = f"""# STOCKHOLM 1.0
#=GF ID   T
#=GS a DE a protein

a        {GOOD[:20]}..{GOOD[20:30].lower()}
#=GR a SS {"H" * 32}
MUSCLE_b {OTHER[:30]}--
#=GC RF   {"x" * 32}

a        {GOOD[30:]}
MUSCLE_b {OTHER[30:]}
//
"""
CLUSTAL = f"""CLUSTAL W (1.83) multiple sequence alignment

MUSCLE_a     {GOOD[:30]}-- 30
CLUSTAL      {OTHER[:30]}~~ 30
             *** : . *

MUSCLE_a     {GOOD[30:40]} {GOOD[40:]} 50
CLUSTAL      {OTHER[30:]} 50
"""


def read(text: str, contract: Contract = DEFAULT, name: str = "") -> tuple[list[Record], dict[str, int]]:
    """Return the records of a text as it is sniffed, and how many each notice counts."""
    data = text.encode()
    blocks = [*parse([data], sniff_format(data, "", name), contract)]
    told = gather(each for block in blocks for each in block.notices)
    return flat(blocks), {each.code: each.count for each in told}


@pytest.mark.parametrize("first", ["", "#A3M#\n", "#50\t1\n"])
@pytest.mark.parametrize("name", ["", "a.a3m", "a.a2m", "a.fasta", "a.txt"])
def test_rows_of_a3m_are_their_sequences_without_gaps(first: str, name: str) -> None:
    records, told = read(first + A3M, REMOVED, name)
    assert [(record.id, record.text) for record in records if not record.reason] == [
        ("q", GOOD),
        ("inserted", OTHER),
        ("wrapped", GOOD),
    ]
    assert [record.reason for record in records] == ["", "", "empty", ""]
    assert told == {"gaps_removed": 2}


def test_gaps_that_nobody_asked_to_remove_are_rejected_with_what_to_do() -> None:
    records, told = read(A3M)
    assert [record.reason for record in records] == ["", "residue", "residue", "residue"]
    assert records[1].text == "'-' at position 21: a gap; gaps=remove removes gaps"
    assert told == {}


@pytest.mark.parametrize("symbol", "-.~_")
@given(st.lists(st.integers(0, 50), max_size=20))
def test_gaps_may_stand_anywhere(symbol: str, places: list[int]) -> None:
    text = GOOD
    for place in sorted(places, reverse=True):
        text = text[:place] + symbol + text[place:]
    records, told = read(f">a\n{text}\n>b\n{GOOD}\n", REMOVED)
    assert [record.text for record in records] == [GOOD, GOOD]
    assert told == ({"gaps_removed": 1} if places else {})


@pytest.mark.parametrize("word", ["ss_pred", "ss_conf", "ss_dssp", "sa_dssp"])
@pytest.mark.parametrize("windows", [None, Windows(50)])
def test_rows_of_structure_are_no_sequences(word: str, windows: Windows | None) -> None:
    text = f">{word} by a program\n{'HEC-' * 12}HE\n>q\n{GOOD}\n>{word}x\n{OTHER}\n"
    blocks = [*parse([text.encode()], Format.FASTA, REMOVED, windows=windows)]
    assert [block.rejects for block in blocks if block.rejects] == [[(1, "malformed", STRUCTURE)]]
    assert [record.text for record in flat(blocks) if not record.reason] == [GOOD, OTHER]


@pytest.mark.parametrize("text", [STOCKHOLM, CLUSTAL], ids=["stockholm", "clustal"])
@pytest.mark.parametrize("contract", [DEFAULT, REMOVED], ids=["asked", "unasked"])
def test_rows_of_blocks_are_put_together_whatever_their_names(text: str, contract: Contract) -> None:
    records, told = read(text, contract)
    assert [record.text for record in records] == [GOOD, OTHER]
    assert told == {"gaps_removed": 0}


@pytest.mark.parametrize("text", [STOCKHOLM, CLUSTAL, STOCKHOLM.replace("//\n", "")])
def test_alignments_behind_each_other_are_read_by_themselves(text: str) -> None:
    assert [record.text for record in read(text * 3)[0]] == [GOOD, OTHER] * 3


def test_a_name_that_stands_twice_in_a_block_is_two_sequences() -> None:
    text = STOCKHOLM.replace("MUSCLE_b", "a       ")
    assert [(record.id, record.text) for record in read(text)[0]] == [("a", GOOD), ("a", OTHER)]


def test_an_indented_row_is_a_row() -> None:
    records, _ = read(CLUSTAL.replace("CLUSTAL   ", " CLUSTAL  ", 2).replace(" CLUSTAL  ", "CLUSTAL   ", 1))
    assert [record.text for record in records] == [GOOD, OTHER]


def test_a_row_without_residues_is_rejected() -> None:
    records, _ = read(f"# STOCKHOLM 1.0\na {GOOD}\nb\nc {'-' * 50}\n//\n")
    assert [(record.line, record.reason) for record in records] == [(2, ""), (3, "empty"), (4, "empty")]


@given(st.text(" \t\x0b\x0c*:.", max_size=8))
def test_a_line_of_blanks_and_marks_of_any_kind_ends_a_block(between: str) -> None:
    """Found by the fuzzer: a form feed alone is no name."""
    rows = "a ACD\nb CDA\n"
    for head, fmt in (("CLUSTAL W\n\n", Format.CLUSTAL), ("# STOCKHOLM 1.0\n", Format.STOCKHOLM)):
        data = f"{head}{rows}{between}\n{rows}".encode()
        found = flat(parse([data], fmt, Contract("ACD", 6)))
        assert [(record.id, record.text) for record in found] == [("a", "ACDACD"), ("b", "CDACDA")]
