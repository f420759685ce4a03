"""FASTA as people have it: a record is the same alone and with neighbours, in any block and shard."""

import sys
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.jobs.byte_ranges import cut_ranges, own_lines
from assay.options import RankOptions
from assay.sequences.blocks import Block, decode
from assay.sequences.contract import Windows
from assay.sequences.fasta import MAX_DESCRIPTION, MAX_ID
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.records import Limits
from tests.unit.reference import SMALL, flat

BLANKS = [
    chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace() or unicodedata.category(chr(code)) == "Zs"
]
WITHIN = [blank for blank in BLANKS if blank not in "\r\n"]
NAMES = st.lists(st.sampled_from([*WITHIN, *" \t" * 4, *"abc" * 8]), max_size=8).map("".join)


def named(data: bytes, limits: Limits = Limits()) -> list[tuple[str, str, tuple[str, ...]]]:  # noqa: B008
    """Return id, sequence and carried cells of each record."""
    return [each for block in parse([data], Format.FASTA, SMALL, limits=limits) for each in rows(block)]


def rows(block: Block) -> list[tuple[str, str, tuple[str, ...]]]:
    return list(zip(block.ids or [], decode(block.codes, SMALL), block.extra or [], strict=True))


def joined(data: bytes, windows: Windows | None = None) -> Block:
    """Return the blocks of an input as one."""
    blocks = [*parse([data], Format.FASTA, SMALL, windows=windows)]
    return replace(
        blocks[0],
        codes=np.concatenate([block.codes for block in blocks]),
        lines=np.concatenate([block.lines for block in blocks]),
        ids=[name for block in blocks for name in block.ids or []],
        extra=[cells for block in blocks for cells in block.extra or []],
        rejects=[reject for block in blocks for reject in block.rejects],
        notices=[notice for block in blocks for notice in block.notices],
    )


@given(st.lists(NAMES, min_size=1, max_size=6), st.integers(1, 60))
def test_an_id_is_the_same_alone_with_neighbours_and_in_any_block_and_shard(names: list[str], size: int) -> None:
    records = [f">{name}\nACD\n".encode() for name in names]
    alone = [row for record in records for row in named(record)]
    whole = b"".join(records)
    assert named(whole) == alone
    assert named(whole, Limits(size, 2, 1 << 10)) == alone
    shards = [
        b"".join(own_lines([whole[each.read_from :]], each, b">"))
        for each in cut_ranges(len(whole), size, splittable=True)
    ]
    assert [row for shard in shards for row in named(shard)] == alone


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_small_file_is_one_block_and_only_a_record_that_may_go_on_is_held(end: str) -> None:
    data = f">a\nACD\n>b\nNOT1\n>c\nAD\nD{end}".encode()
    sizes = [(len(block.lines), len(block.rejects)) for block in parse([data], Format.FASTA, SMALL)]
    assert sizes == ([(2, 1)] if end else [(1, 1), (1, 0)])  # the last line waits for its end


@pytest.mark.parametrize("blank", WITHIN, ids=ascii)
def test_only_a_space_or_a_tab_ends_a_word(blank: str) -> None:
    [(name, _, [title])] = named(f">prot{blank}alpha\nACD\n".encode())
    assert name == ("prot" if blank in " \t" else f"prot{blank}alpha")
    assert title == f"prot{blank}alpha"


def test_the_whole_header_is_carried() -> None:
    data = b">T=0.1, sample=1, score=0.9\nACD\n>T=0.1, sample=2\nADD\n"
    assert [cells for _, _, cells in named(data)] == [("T=0.1, sample=1, score=0.9",), ("T=0.1, sample=2",)]


def test_a_record_glued_to_a_line_is_a_record() -> None:
    block = joined(b">a\nACD>b 1 > 2\nADD\n>c\nAC\nC\n")
    assert [row[:2] for row in rows(block)] == [("a", "ACD"), ("b", "ADD"), ("c", "ACC")]
    assert block.lines.tolist() == [1, 2, 4]
    [notice] = block.notices
    assert (notice.code, notice.lines, notice.count) == ("glued_records", (2,), 1)


@pytest.mark.parametrize("before", ["; comment\n", "#A3M#\n", "#50,50\n\n", " ; c\n"])
def test_comments_before_the_first_record_are_none(before: str) -> None:
    [block] = (
        each for each in parse([f"{before}>a\nAC\n; within\nD\n".encode()], Format.FASTA, SMALL) if each.received
    )
    assert [row[:2] for row in rows(block)] == [("a", "ACD")]


def test_numbers_of_lines_are_no_residues_and_digits_in_words_are_wrong() -> None:
    block = joined(b">a\n 1 A C\n 61 D\n>b\nA1D\n")
    assert [row[:2] for row in rows(block)] == [("a", "ACD")]
    assert [(reject.line, reject.detail) for reject in block.rejects] == [(4, "'1' at position 2")]


@pytest.mark.parametrize("number", ["0", "9", "99", "10", "5"])
def test_a_number_of_any_digits_before_a_line_is_no_residue(number: str) -> None:
    block = joined(f">a\n{number} ACD\n".encode())
    assert [row[:2] for row in rows(block)] == [("a", "ACD")]


PIR = b">P1;one\nACD ACD a title of residues\nACDA*\n>F1;two\ntitle\nA\nCD*and\nmore\n>P1;three\n>plain\nACD\n"


def test_a_title_of_pir_is_no_residues_and_a_star_ends_the_record() -> None:
    block = joined(PIR)
    assert rows(block) == [("two", "ACD", ("two title",)), ("plain", "ACD", ("plain",))]
    assert [(reject.line, reject.reason) for reject in block.rejects] == [(1, "length"), (9, "empty")]


def test_windows_of_pir_are_those_of_its_residues() -> None:
    block = joined(PIR, Windows(3))
    assert list(block.ids or []) == ["one/1-3", "one/2-4", "two/1-3", "plain/1-3"]
    assert decode(block.codes, SMALL) == ["ACD", "CDA", "ACD", "ACD"]


def test_a_header_without_end_is_cut_and_so_are_the_windows_names() -> None:
    data = b">" + b"x" * 5000 + b" " + b"y" * 5000 + b"\n" + b"ACD" * 500 + b"\n"
    block = joined(data, Windows(3))
    assert block.ids is not None
    assert max(map(len, block.ids)) <= MAX_ID + len("/1498-1500")
    assert {len(cell) for cells in block.extra or [] for cell in cells} == {MAX_DESCRIPTION}
    assert [(each.code, each.lines) for each in block.notices] == [("cut_headers", (1,))]


HEADERS = st.sampled_from(["a", "b c", " d", "é", "ss_pred", ""])
SHORT = st.sampled_from(["ACD", "ACD", "dca", "AXD", "A-D", "AC"])


@given(st.lists(st.tuples(HEADERS, SHORT)), st.sampled_from(["reject", "remove"]))
def test_records_of_one_line_are_read_as_wrapped_ones_are(pairs: list[tuple[str, str]], gap_policy: str) -> None:
    contract = RankOptions(gaps=gap_policy).lenient(SMALL)
    even = "".join(f">{header}\n{text}\n" for header, text in pairs).encode()
    wrapped = "".join(f">{header}\n{text[:1]}\n{text[1:]}\n" for header, text in pairs).encode()
    found, expected = (flat(parse([data], Format.FASTA, contract)) for data in (even, wrapped))
    assert [each._replace(line=0) for each in found] == [each._replace(line=0) for each in expected]
    assert [each.line for each in found] == [2 * at + 1 for at in range(len(pairs))]
