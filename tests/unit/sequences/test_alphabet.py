"""What each byte is, and windows cut of spans, against plain references."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import BundleInvalid
from assay.sequences.blocks import BLANK, NEWLINE, NON_ASCII, UNKNOWN, Spans, byte_table, decode
from assay.sequences.contract import Contract, Lenience, Windows
from assay.sequences.fasta import WindowCut, cut_windows
from assay.text.records import Limits, Reject

symbols = st.lists(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, unique_by=str.upper).map(
    lambda letters: "".join(letters).upper()
)


@given(symbols, st.sampled_from(["", "-.", "~_-"]))
def test_each_byte_is_a_residue_in_either_case_or_what_else_it_is(alphabet: str, gaps: str) -> None:
    gaps = "".join(symbol for symbol in gaps if symbol not in alphabet)
    table = byte_table(alphabet, gaps)
    assert len(table) == 256
    for byte in range(256):
        letter = chr(byte)
        if byte >= 0x80:
            assert table[byte] == NON_ASCII
        elif letter.upper() in alphabet:
            assert table[byte] == alphabet.index(letter.upper())
        elif letter == "\n":
            assert table[byte] == NEWLINE
        else:
            assert table[byte] == (BLANK if letter in f" \t{gaps}" else UNKNOWN)


def test_what_is_no_residue_is_above_all_residues_and_told_apart() -> None:
    assert 128 < BLANK < NEWLINE < NON_ASCII < UNKNOWN < 256


@given(symbols, st.integers(1, 9), st.integers(0, 9), st.randoms(use_true_random=False))
def test_codes_are_letters_again(alphabet: str, length: int, count: int, chance: Random) -> None:
    texts = ["".join(chance.choice(alphabet) for _ in range(length)) for _ in range(count)]
    codes = [[alphabet.index(letter) for letter in text] for text in texts]
    shaped = np.asarray(codes, np.uint8).reshape(count, length)
    assert decode(shaped, Contract(alphabet, length)) == texts


def spans(widths: list[int], gaps: list[int]) -> Spans:
    """Return sequences of so many residues, with something else before each."""
    starts, at = [], 0
    for width, gap in zip(widths, gaps, strict=True):
        starts.append(at + gap)
        at += gap + width
    place = np.asarray(starts, np.intp)
    buffer = np.zeros(at, np.uint8)
    return Spans(buffer, buffer, place, place + np.asarray(widths, np.intp), np.arange(len(widths)) * 7 + 3)


records = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4), st.integers(0, 70)), max_size=8)


@given(records, st.integers(1, 9), st.integers(1, 12), st.integers(0, 60))
def test_windows_are_cut_as_plainly(found: list[tuple[int, int, int]], size: int, step: int, longest: int) -> None:
    whole = spans([width for width, _, _ in found], [gap for _, gap, _ in found])
    sizes = np.asarray([each for _, _, each in found], np.intp)
    got = cut_windows(whole, sizes, Windows(size, step), Limits(record_bytes=longest))
    plain = []
    for at, (width, _, bytes_) in enumerate(found):
        start, line = int(whole.starts[at]), int(whole.lines[at])
        if width < size or bytes_ > longest:
            plain.append((at, 0, start, start + width, line))
        else:
            plain += [
                (at, first, start + first, start + first + size, line) for first in range(0, width - size + 1, step)
            ]
    assert _told(got) == plain
    for first in range(0, len(plain) + 1, 3):
        assert _told(got.part(first, first + 2)) == plain[first : first + 2]


def _told(windows: WindowCut) -> list[tuple[int, ...]]:
    held = windows.spans
    columns = (windows.record, windows.first, held.starts, held.stops, held.lines)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_window_is_named_by_its_residues_from_one() -> None:
    windows = cut_windows(spans([7, 2], [1, 1]), np.asarray([9, 4]), Windows(3, 2), Limits())
    assert [f"p/{windows.place(at)}" for at in range(4)] == ["p/1-3", "p/3-5", "p/5-7", "p/1-2"]


@pytest.mark.parametrize("reason", ["residue", "encoding", "length", "empty", "too_long_line"])
def test_a_reject_for_a_residue_says_which_window_it_is_of(reason: str) -> None:
    windows = cut_windows(spans([7], [0]), np.asarray([9]), Windows(3, 2), Limits())
    told = windows.locate(Reject(1, reason, "odd"), 1)
    assert told == Reject(1, reason, "residues 3-5: odd" if reason in ("residue", "encoding") else "odd")


def test_windows_move_by_one_residue_where_nothing_is_said() -> None:
    assert Windows(50) == Windows(50, 1)


@pytest.mark.parametrize(
    ("size", "length", "right"), [(1, 1, True), (128, 65_536, True), (1, 0, False), (1, 65_537, False)]
)
def test_a_contract_has_a_length_within_bounds(size: int, length: int, right: bool) -> None:
    letters = "".join(chr(at) for at in range(33, 127) if not chr(at).islower())
    alphabet = letters[: min(size, len(letters))]
    if right:
        assert Contract(alphabet, length).length == length
    else:
        with pytest.raises(BundleInvalid, match=rf"length of {length} is not within 1\.\.65536"):
            Contract(alphabet, length)


@pytest.mark.parametrize("alphabet", ["", "AA", "Aa", "A ", "A\x7f", "Aé", "".join(map(chr, range(33, 162)))])
def test_an_alphabet_is_of_different_printable_symbols(alphabet: str) -> None:
    with pytest.raises(BundleInvalid, match="an alphabet"):
        Contract(alphabet, 5)


def test_what_a_caller_may_write_depends_on_what_the_alphabet_has_itself() -> None:
    plain = Contract("ACD", 9, Lenience(gaps=True))
    assert (plain.gaps, plain.terminated, plain.numbered, plain.padded) == ("-.~_", True, True, 0)
    assert Contract("AC-*", 9, Lenience(gaps=True)).gaps == ".~_"
    assert Contract("ACD", 9).gaps == ""
    assert not Contract("AC-*", 9).terminated
    assert not Contract("ACD", 9, Lenience(terminator=False)).terminated
    assert not Contract("AC1", 9).numbered


@pytest.mark.parametrize(
    ("alphabet", "length", "pad", "padded"),
    [
        ("LESGACD", 50, True, 43),
        ("LESGACD", 50, False, 0),
        ("LESACD", 50, True, 0),
        ("LESG", 7, True, 0),
        ("LESG", 8, True, 1),
        ("LESG", 5, True, 0),
    ],
)
def test_the_linker_pads_what_lacks_its_length_where_the_alphabet_has_it(
    alphabet: str, length: int, pad: bool, padded: int
) -> None:
    assert Contract(alphabet, length, Lenience(pad=pad)).padded == padded
