"""Plain text in which sequences go on over lines: put together and told, or rejected with what to do; never cut up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sequences.contract import DEFAULT, Contract, Lenience
from assay.sequences.formats import Format, sniff_format
from assay.sequences.parsing import parse
from assay.sequences.wrapped_lines import is_wrapped
from assay.text.packing import HEAD
from assay.text.records import Limits, gather
from tests.unit.reference import Record, flat

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
OTHER = GOOD[::-1]
LONG = (GOOD + OTHER) * 3 + GOOD[:37]
PART = ": if it is a part of a sequence, send the sequence on one line, or as FASTA, where it may have several"


def wrap(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


def read(text: str, contract: Contract = DEFAULT, **bounds: int) -> tuple[list[Record], dict[str, tuple[int, ...]]]:
    """Return the records of a text as it is sniffed, and the lines of the notices."""
    data = text.encode()
    blocks = [*parse([data], sniff_format(data), contract, limits=Limits(**bounds))]
    return flat(blocks), {each.code: each.lines for each in gather(each for block in blocks for each in block.notices)}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("width", [11, 12, 15, 16, 20, 26, 30, 40, 49])
@pytest.mark.parametrize("between", [[], [""], ["", " \t", ""]])
def test_wrapped_sequences_are_put_together_and_told(width: int, end: str, between: list[str]) -> None:
    lines: list[str] = []
    firsts = []
    for text in (GOOD, OTHER, GOOD.lower()):
        firsts.append(len(lines) + 1)
        lines += [*wrap(text, width), *between]
    records, told = read(end.join(lines))
    assert [(record.line, record.reason, record.text) for record in records] == [
        (line, "", text) for line, text in zip(firsts, (GOOD, OTHER, GOOD), strict=True)
    ]
    assert told == {"wrapped_lines": tuple(firsts)}


@pytest.mark.parametrize("width", [5, 10, 25])
def test_lines_of_one_width_are_joined_between_blank_lines_only(width: int) -> None:
    apart = "\n\n".join("\n".join(wrap(text, width)) for text in (GOOD, OTHER))
    assert [record.text for record in read(apart)[0]] == [GOOD, OTHER]
    for text in ("\n".join(wrap(GOOD, width)), "\n".join(wrap(GOOD + OTHER, width))):
        records, told = read(text)
        assert {record.reason for record in records} == {"length"}
        assert {record.text for record in records} == {f"{width} residues, expected 50{PART}"}
        assert told == {}


@pytest.mark.parametrize("width", [50, 60, 10])
@pytest.mark.parametrize("form", ["{at:>9} {text}", "{text} {to}", "{at} {text}   {to}"])
def test_numbers_that_count_on_show_one_sequence(width: int, form: str) -> None:
    parts = wrap(LONG, width)
    starts = range(0, len(LONG), width)
    lines = [
        form.format(at=at + 1, to=at + len(part), text=" ".join(wrap(part, 10)).lower())
        for at, part in zip(starts, parts, strict=True)
    ]
    [record], told = read("\n".join(lines))
    assert (record.line, record.reason) == (1, "length")
    assert record.text.startswith("337 residues, expected 50: window=50")
    assert told == {}


def test_two_numbered_sequences_are_two() -> None:
    lines = [f"{at + 1} {text[at : at + 25]}" for text in (GOOD, OTHER) for at in (0, 25)]
    records, _ = read("\n".join(lines))
    assert [(record.line, record.text) for record in records] == [(1, GOOD), (3, OTHER)]


@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD}\n{OTHER}\n",
        f"{GOOD}\n{GOOD[:30]}\n{GOOD[30:]}\n",
        f"1 {GOOD}\n2 {OTHER}\n3 {GOOD}\n",
        f"{GOOD}\n\n{OTHER}\n",
        f"{GOOD[:20]}\n{GOOD[:31]}\n{GOOD[:12]}\n",
        "\n".join(wrap(LONG, 50)),
        "\n".join(wrap(LONG, 60)),
        "ACD\n",
        "",
    ],
)
def test_what_may_be_a_sequence_a_line_is_so(text: str) -> None:
    assert sniff_format(text.encode()) is Format.LINES
    records, told = read(text)
    assert [record.line for record in records] == [*range(1, 1 + len(text.splitlines()))]
    assert told == {}


def test_a_last_line_that_is_too_short_says_what_it_may_be() -> None:
    records, _ = read("\n".join(wrap(LONG, 50)))
    assert records[-1].text == f"37 residues, expected 50{PART}"


def test_one_wrong_sequence_spoils_no_other() -> None:
    texts = [GOOD, OTHER] * 8
    lines = [part for at, text in enumerate(texts) for part in wrap(text if at != 5 else text[:-1], 40)]
    lines[24] = lines[24][:-1] + "1"
    records, told = read("\n".join(lines))
    assert [record.reason for record in records if record.line == 11] == ["length"]
    assert [record.reason for record in records if record.line in (25, 26)] == ["residue"]
    assert [record.text for record in records if not record.reason] == [*texts[:5], *texts[6:12], *texts[13:]]
    assert len(told["wrapped_lines"]) == 14


@given(
    st.lists(
        st.sampled_from(
            [
                "no residues 1",
                "1",
                "12 x?",
                f"1 {GOOD}",
                f"{GOOD} 50",
                f"51 {GOOD}",
                "# a",
                ">a",
                "",
                " ",
                "A",
                GOOD,
                GOOD[:30],
                "\N{LATIN SMALL LETTER E WITH ACUTE}",
            ]
        )
    )
)
def test_any_lines_are_read(lines: list[str]) -> None:
    text = "\n".join(lines)
    data = text.encode()
    if sniff_format(data, "text/plain") in (Format.LINES, Format.WRAPPED):
        assert all(record.line for record in read(text)[0])


@given(st.integers(2, 49), st.integers(1, 6), st.sampled_from([1, 7, 64, 1 << 20]), st.booleans())
def test_chunks_and_blocks_change_nothing(width: int, count: int, size: int, blank: bool) -> None:
    texts = [GOOD, OTHER] * count
    data = "".join("\n".join(wrap(text, width)) + "\n" * (1 + blank) for text in texts).encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    small = Limits(64, 2, 1 << 20)
    assert flat(parse(chunks, Format.WRAPPED, limits=small)) == flat(parse([data], Format.WRAPPED))
    assert [record.text for record in flat(parse(chunks, Format.WRAPPED, limits=small))] == texts


def test_a_sequence_over_the_longest_is_rejected_whole_and_reading_goes_on() -> None:
    numbered = "".join(f"{at + 1} {'A' * 10}\n" for at in range(0, 300, 10))
    records = flat(parse([f"{numbered}\n{GOOD}\n".encode()], Format.WRAPPED, limits=Limits(64, 4, 100)))
    assert [(record.line, record.reason) for record in records] == [(1, "too_long_line"), (32, "")]
    endless = f"{GOOD[:30]}\n{'A' * 500}\n{GOOD}\n".encode()
    records = flat(parse([endless], Format.WRAPPED, limits=Limits(64, 4, 100)))
    assert [(record.line, record.reason) for record in records] == [(1, "length"), (2, "too_long_line"), (3, "")]


def test_terminators_gaps_and_padding_hold_for_what_was_joined() -> None:
    lenient = Contract(lenience=Lenience(gaps=True, pad=True))
    text = f"{GOOD[:30]}\n{GOOD[30:]}*\n\n{OTHER[:30]}\n{OTHER[30:]}\n"
    records, told = read(text, lenient)
    assert [record.text for record in records] == [GOOD, OTHER]
    assert told == {"wrapped_lines": (1, 4), "terminator_stripped": (1,)}


@pytest.mark.parametrize(("whole", "wrapped"), [(8, False), (9, True), (10, True)])
def test_nine_of_ten_sequences_must_come_out_whole(whole: int, wrapped: bool) -> None:
    texts = [GOOD] * whole + [GOOD[:-1]] * (10 - whole)
    assert is_wrapped("\n".join(part for text in texts for part in wrap(text, 40)).encode()) is wrapped


def test_what_may_go_on_behind_the_look_is_not_judged() -> None:
    first, last = f"{GOOD[:40]}\n{GOOD[40:]}\n", GOOD[:30]
    head = first + "\n" * (HEAD - len(first) - len(last)) + last
    assert is_wrapped(head.encode())
    assert not is_wrapped(head[100:].encode())
    assert not is_wrapped(f"{first}\n{last}".encode())


def test_a_wrong_word_is_part_of_a_sequence_and_other_text_is_a_record() -> None:
    word = flat(parse([f"{GOOD[:30]}\nx1y\n".encode()], Format.WRAPPED))
    text = flat(parse([f"{GOOD[:30]}\nx1 y2\n".encode()], Format.WRAPPED))
    assert [(record.line, record.reason) for record in word] == [(1, "residue")]
    assert [(record.line, record.reason) for record in text] == [(1, "length"), (2, "residue")]
