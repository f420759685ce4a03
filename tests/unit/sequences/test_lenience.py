"""What is forgiven in a sequence is forgiven alike in every format, told, and counted; without it nothing is."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidOption
from assay.options import RANKING, RankOptions
from assay.sequences.blocks import Block, decode
from assay.sequences.contract import DEFAULT, LINKER, Contract, Lenience, Windows
from assay.sequences.formats import Format
from assay.sequences.json_items import parse_items
from assay.sequences.parsing import parse

GOOD = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
SHORT = GOOD.removesuffix(LINKER)
FORMATS = ["lines", "fasta", "csv", "json", "jsonl"]
Outcome = tuple[list[str], list[tuple[int, str]], dict[str, int]]


def contract(**chosen: str) -> Contract:
    return RankOptions(**chosen).lenient(DEFAULT)  # type: ignore[arg-type]


def blocks(kind: str, texts: list[str], wanted: Contract) -> list[Block]:
    match kind:
        case "lines":
            return [*parse(["".join(f"{text}\n" for text in texts).encode()], Format.LINES, wanted)]
        case "fasta":
            return [*parse(["".join(f">a\n{text}\n" for text in texts).encode()], Format.FASTA, wanted)]
        case "csv":
            rows = "".join(f'"{text}",1\n' for text in texts)
            return [*parse([f"sequence,x\n{rows}".encode()], Format.CSV, wanted)]
        case "json":
            return [parse_items(texts, wanted)]
    rows = "".join(json.dumps({"sequence": text}) + "\n" for text in texts)
    return [*parse([rows.encode()], Format.JSONL, wanted)]


def read(kind: str, texts: list[str], **chosen: str) -> Outcome:
    """Return the sequences, the reasons in their order, and the notices' counts."""
    found = blocks(kind, texts, contract(**chosen))
    good = [text for block in found for text in decode(block.codes)]
    bad = [reject.reason for block in found for reject in block.rejects]
    told: dict[str, int] = {}
    for each in (notice for block in found for notice in block.notices):
        told[each.code] = told.get(each.code, 0) + each.count
    return good, list(enumerate(bad)), told


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD[:10]} {GOOD[10:20]}\t{GOOD[20:]}",
        f"        1 {GOOD[:10].lower()} {GOOD[10:30].lower()} {GOOD[30:].lower()}",
        f"1 {GOOD[:30]} 31 {GOOD[30:]} 50",
    ],
)
def test_blanks_and_numbers_within_a_sequence(kind: str, text: str) -> None:
    assert read(kind, [text, GOOD]) == ([GOOD, GOOD], [], {})


@pytest.mark.parametrize("kind", ["fasta", "csv", "json"])
def test_a_sequence_over_several_lines(kind: str) -> None:
    assert read(kind, [f"{GOOD[:25]}\n{GOOD[25:]}"])[0] == [GOOD]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_terminator_is_taken_off_and_counted(kind: str) -> None:
    texts = [GOOD, f"{GOOD}*", f"{GOOD[:20]} {GOOD[20:]} *"]
    assert read(kind, texts) == ([GOOD] * 3, [], {"terminator_stripped": 2})
    good, bad, told = read(kind, texts, terminator="reject")
    assert (good, [reason for _, reason in bad], told) == ([GOOD], ["residue", "residue"], {})


@pytest.mark.parametrize("kind", FORMATS)
def test_gaps_are_removed_where_that_is_asked(kind: str) -> None:
    texts = [f"--{GOOD[:20]}-.-{GOOD[20:]}..", GOOD, f"{GOOD[:9]}-{GOOD[10:]}"]
    assert [reason for _, reason in read(kind, texts)[1]] == ["residue", "residue"]
    good, bad, told = read(kind, texts, gaps="remove")
    assert (good, [reason for _, reason in bad], told) == ([GOOD, GOOD], ["length"], {"gaps_removed": 1})


@pytest.mark.parametrize("kind", FORMATS)
@given(
    st.lists(st.sampled_from([GOOD, f"{GOOD}*", f"-{GOOD}", f"{GOOD}~~*", f"{GOOD}_ ", f" .{GOOD}", "-", f"{GOOD}-A"]))
)
def test_notices_count_what_was_accepted_in_every_format(kind: str, texts: list[str]) -> None:
    good, _, told = read(kind, texts, gaps="remove")
    kept = [text for text in texts if text not in ("-", f"{GOOD}-A")]
    assert good == [GOOD] * len(kept)
    gapped = sum(any(gap in text for gap in "-.~_") for text in kept)
    starred = sum("*" in text for text in kept)
    expected = {"gaps_removed": gapped, "terminator_stripped": starred}
    assert told == {code: count for code, count in expected.items() if count}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_linker_pads_what_lacks_its_length(kind: str) -> None:
    texts = [SHORT, GOOD, SHORT[1:], f"{SHORT}*"]
    assert [reason for _, reason in read(kind, texts)[1]] == ["length"] * 3
    good, bad, told = read(kind, texts, pad="linker")
    assert (good, [reason for _, reason in bad]) == ([GOOD] * 3, ["length"])
    assert told["padded"] == 2


@pytest.mark.parametrize("kind", FORMATS)
@given(st.lists(st.sampled_from([GOOD, f"{GOOD}*", f"{GOOD[:5]} {GOOD[5:]}", SHORT, "X", "7", f"{GOOD} *", "*"])))
def test_places_are_kept_whatever_is_forgiven_between_others(kind: str, texts: list[str]) -> None:
    found = blocks(kind, texts, contract(pad="linker"))
    places = sorted(
        [(line, "") for block in found for line in block.lines.tolist()]
        + [(reject.line, reject.reason) for block in found for reject in block.rejects]
    )
    wrong = {"X": "residue", "7": "residue", "*": "empty"}
    if kind == "fasta":
        wrong["7"] = "empty"  # a number of a line
    assert [reason for _, reason in places] == [wrong.get(text, "") for text in texts]


def test_windows_begin_behind_no_terminator_and_count_without_gaps() -> None:
    data = f">a\n{GOOD}-A*\n".encode()
    [block] = parse([data], Format.FASTA, contract(gaps="remove"), windows=Windows(50))
    assert list(block.ids or []) == ["a/1-50", "a/2-51"]
    assert not block.rejects


def test_symbols_of_an_alphabet_are_no_gaps_and_no_terminators() -> None:
    wanted = replace(Contract("ACD-*", 3), lenience=Lenience(gaps=True))
    [block] = parse([b"A-*\nACD\n"], Format.LINES, wanted)
    assert decode(block.codes, wanted) == ["A-*", "ACD"]


@pytest.mark.parametrize(("name", "value"), [("gaps", "yes"), ("terminator", ""), ("pad", "LESSGGS")])
def test_other_values_are_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        RANKING[name].read(value, name)
