import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidOption
from assay.jobs.byte_ranges import cut_ranges, own_lines
from assay.options import RankOptions
from assay.ranking.ranking import merge
from assay.sequences.blocks import Block, decode
from assay.sequences.contract import Contract, Windows
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.records import Limits, Reject
from tests.unit.ranking.test_ranking_properties import FINE, options, ranked
from tests.unit.reference import count_lines
from tests.unit.strategies import fasta_documents

SMALL = Contract("ACD", 3)
Found = list[tuple[str | None, int, str]]


def found(data: bytes, windows: Windows, limits: Limits = FINE) -> tuple[Found, list[Reject]]:
    blocks = list(parse([data], Format.FASTA, SMALL, windows=windows, limits=limits))
    rows = [row for block in blocks for row in _rows(block)]
    return rows, [reject for block in blocks for reject in block.rejects]


def _rows(block: Block) -> Found:
    return list(zip(block.ids or [], block.lines.tolist(), decode(block.codes, SMALL), strict=True))


def test_a_window_has_its_proteins_id_and_its_residues_from_one() -> None:
    rows, rejects = found(b">p1 a protein\nACD\nAC\n>p2\nDDD\n", Windows(3))
    assert rows == [("p1/1-3", 1, "ACD"), ("p1/2-4", 1, "CDA"), ("p1/3-5", 1, "DAC"), ("p2/1-3", 4, "DDD")]
    assert rejects == []


def test_what_a_step_leaves_over_is_in_no_window() -> None:
    assert [row[0] for row in found(b">p\nACDACDAC\n", Windows(3, 3))[0]] == ["p/1-3", "p/4-6"]


def test_a_residue_that_is_none_rejects_the_windows_that_hold_it_and_says_which() -> None:
    rows, rejects = found(b">p\nACDXACD\n", Windows(3, 2))
    assert [row[0] for row in rows] == ["p/1-3", "p/5-7"]
    [reject] = rejects
    assert reject[:2] == (1, "residue")
    assert reject.detail.startswith("residues 3-5: 'X' at position 2: any residue")


@pytest.mark.parametrize(("text", "reason"), [(b">p\nAC\n", "length"), (b">p\n\n", "empty"), (b">p", "empty")])
def test_a_protein_shorter_than_the_window_is_one_reject(text: bytes, reason: str) -> None:
    rows, rejects = found(text, Windows(3))
    assert rows == []
    assert [reject.reason for reject in rejects] == [reason]


def test_a_protein_too_long_to_be_read_is_one_reject() -> None:
    _, rejects = found(b">p\n" + b"ACD\n" * 40, Windows(3), Limits(1000, 7, 60))
    assert [(reject.line, reject.reason) for reject in rejects] == [(1, "too_long_line")]


@pytest.mark.parametrize("fmt", [Format.LINES, Format.CSV])
def test_windows_are_for_fasta(fmt: Format) -> None:
    with pytest.raises(
        InvalidOption, match=f"window is for FASTA, but this is read as {fmt.value}: send FASTA, or leave window out"
    ):
        list(parse([b"sequence\nACD\n"], fmt, SMALL, windows=Windows(3)))


def test_windows_are_as_long_as_the_models_read() -> None:
    with pytest.raises(InvalidOption, match="window is 4, but the models read sequences of 3 residues"):
        list(parse([b">p\nACDA\n"], Format.FASTA, SMALL, windows=Windows(4)))


@pytest.mark.parametrize("choice", [{"window": 0}, {"window": 50, "step": 0}, {"step": 2}, {"window": True}])
def test_options_that_make_no_windows_are_refused(choice: dict[str, int]) -> None:
    with pytest.raises(InvalidOption):
        RankOptions(**choice)  # type: ignore[arg-type]


proteins = st.lists(st.text("ACDX", max_size=30), max_size=8)


@given(proteins, st.integers(1, 5), st.integers(1, 9), st.integers(1, 9))
def test_windows_are_the_slices_of_each_protein(texts: list[str], step: int, width: int, records: int) -> None:
    lines = [[text[at : at + width] for at in range(0, len(text), width)] for text in texts]
    data = "".join(f">p{index}\n" + "".join(f"{line}\n" for line in each) for index, each in enumerate(lines))
    rows, rejects = found(data.encode(), Windows(3, step), Limits(16, records, 200))
    slices = [
        (f"p{index}/{at + 1}-{at + 3}", text[at : at + 3])
        for index, text in enumerate(texts)
        for at in range(0, len(text) - 2, step)
    ]
    assert [(row[0], row[2]) for row in rows] == [each for each in slices if "X" not in each[1]]
    short = sum(len(text) < 3 for text in texts)
    assert len(rejects) == short + sum("X" in each[1] for each in slices)


@given(fasta_documents, st.integers(1, 40), options, st.integers(1, 3))
def test_windows_of_a_split_file_are_those_of_the_whole(
    data: bytes, shard_bytes: int, choice: RankOptions, step: int
) -> None:
    lines, partials = 0, []
    for shard in cut_ranges(len(data), shard_bytes, splittable=True):
        part = list(own_lines([data[shard.read_from :]], shard, b">"))
        found = ranked(part, choice, begins=not shard.index, fmt=Format.FASTA, windows=Windows(3, step))
        partials.append(found.shift(lines))
        lines += count_lines(part)
    whole = ranked([data], choice, fmt=Format.FASTA, windows=Windows(3, step))
    assert merge(partials, choice.top_k) == whole


def test_a_long_protein_is_cut_without_copying_its_windows_at_once() -> None:
    text = b">titin\n" + b"ACD" * 20_000 + b"\n"
    blocks = list(parse([text], Format.FASTA, SMALL, windows=Windows(3)))
    assert max(len(block.codes) for block in blocks) <= Limits().block_records
    assert sum(len(block.codes) for block in blocks) == 59_998
    np.testing.assert_array_equal(blocks[-1].codes[-1], [0, 1, 2])
