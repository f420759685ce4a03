import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest

from assay.errors import BundleInvalid, MalformedBody, UnreadableInput
from assay.sequences.blocks import Block, decode
from assay.sequences.contract import Contract
from assay.sequences.formats import Format, sniff_format
from assay.sequences.json_items import parse_items
from assay.sequences.parsing import parse
from assay.text.records import LIMITS, Reject
from tests.unit.reference import STRAY, flat

GOOD = "ACDEFGHIKLMNPQRSTVWYACDEFGHIKLMNPQRSTVWYACDEFGHIKL"
LINE = GOOD.encode() + b"\n"

PART = ": if it is a part of a sequence, send the sequence on one line, or as FASTA, where it may have several"


def one(text: bytes, fmt: Format = Format.LINES) -> Reject:
    (record,) = flat(parse([text], fmt))
    return Reject(*record[:3])


WINDOW = "window=50 ranks each stretch"
LOST = "2 sequences whose line ends were lost (curl keeps them with --data-binary)"


def sequences(blocks: Iterable[Block]) -> list[str]:
    return [text for block in blocks for text in decode(block.codes, block.contract)]


@pytest.mark.parametrize(
    ("symbol", "stands_for"),
    [
        *((symbol, "") for symbol in "1@["),
        ("X", ": any residue"),
        ("u", ": selenocysteine"),
        ("O", ": pyrrolysine"),
        ("B", ": aspartate or asparagine"),
        ("Z", ": glutamate or glutamine"),
        ("J", ": leucine or isoleucine"),
        ("*", ": a stop within"),
        ("-", ": a gap; gaps=remove"),
        (".", ": a gap; gaps=remove"),
    ],
)
def test_what_is_no_residue_is_named_with_its_place(symbol: str, stands_for: str) -> None:
    text = GOOD[:11] + symbol + GOOD[12:]
    reject = one(text.encode())
    assert reject[:2] == (1, "residue")
    assert reject.detail.startswith(f"'{symbol}' at position 12{stands_for}")
    assert bool(stands_for) == (len(reject.detail) > len("'X' at position 12"))


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (GOOD[:44].encode(), "length", f"44 residues, expected 50{PART}"),
        (b"ACDE", "length", "4 residues, expected 50"),
        (GOOD[:43].encode(), "length", "43 residues, expected 50: pad=linker appends LESSGGS"),
        (GOOD.encode() + b"A", "length", f"51 residues, expected 50: {WINDOW} of a longer protein, as FASTA"),
        (GOOD.encode() * 2, "length", f"100 residues, expected 50: {LOST}, or a protein: {WINDOW} of it, as FASTA"),
        (GOOD.encode() + b"**", "residue", "'*' at position 51: it ends a protein, and terminator=strip removes it"),
        (GOOD[:49].encode() + b"\0", "residue", "'\\x00' at position 50"),
        (b"AC\xff", "encoding", "byte 0xFF at position 3 is not ASCII"),
        ("AC\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), "encoding", "byte 0xC3 at position 3 is not ASCII"),
        (b" \t ", "empty", "no residues"),
        (b"\n", "empty", "no residues"),
        (b"A" * (1 << 20) + b"A", "too_long_line", "over 1048576 bytes"),
        (
            b"A" * (1 << 20),
            "length",
            f"1048576 residues, expected 50: {WINDOW} of a longer protein, as FASTA",
        ),
    ],
)
def test_a_bad_line_says_exactly_what_is_wrong(line: bytes, reason: str, detail: str) -> None:
    assert one(line) == Reject(1, reason, detail)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_and_the_last_of_them_make_no_difference(end: bytes, last: bool) -> None:
    data = end.join([LINE[:-1]] * 3) + end * last
    assert [record.line for record in flat(parse([data], Format.LINES))] == [1, 2, 3]


def test_lower_case_blanks_and_a_byte_order_mark_are_accepted() -> None:
    data = b"\xef\xbb\xbf" + GOOD.lower().encode() + b"\n \t" + GOOD.encode() + b" \n"
    assert sequences(parse([data], Format.LINES)) == [GOOD, GOOD]


def test_a_byte_order_mark_within_the_input_is_not_dropped() -> None:
    (record,) = flat(parse([b"\xef\xbb\xbf" + LINE], Format.LINES, first_line=7))
    assert record[:2] == (7, "encoding")


@pytest.mark.parametrize("fmt", [Format.LINES, Format.FASTA])
@pytest.mark.parametrize("data", [[], [b""], [b"\xef\xbb\xbf"]])
def test_nothing_gives_nothing(fmt: Format, data: list[bytes]) -> None:
    assert flat(parse(data, fmt)) == []


def test_the_contract_of_another_model_is_held() -> None:
    contract = Contract("GAVL", 4)
    blocks = list(parse([b"gavl\nGAVLG\nGAVC\n"], Format.LINES, contract))
    assert blocks[0].codes.tolist() == [[0, 1, 2, 3]]
    assert [reject.reason for reject in blocks[0].rejects] == ["length", "residue"]


@pytest.mark.parametrize(
    "wrong", [("AAC", 5), ("", 5), ("ac", 5), ("A C", 5), ("A\xe9", 5), ("AC", 0), ("AC", 1 << 20)]
)
def test_a_contract_that_cannot_be_is_refused(wrong: tuple[str, int]) -> None:
    with pytest.raises(BundleInvalid):
        Contract(*wrong)


class TestFasta:
    def test_records_run_over_lines(self) -> None:
        data = f">one first protein\r\n{GOOD[:30]}\r\n\r\n{GOOD[30:]}\r\n>\r\n{GOOD.lower()}".encode()
        (first, second) = flat(parse([data], Format.FASTA))
        assert (first.line, first.text, first.id) == (1, GOOD, "one")
        assert (second.line, second.text, second.id) == (5, GOOD, "")

    def test_what_comes_before_the_first_header_is_rejected(self) -> None:
        found = flat(parse([f"text\n; a comment\n#A3M\n\n>one\n{GOOD}\n".encode()], Format.FASTA))
        assert [record[:3] for record in found] == [(1, "residue", STRAY), (5, "", GOOD)]

    def test_an_empty_record_is_rejected_and_a_terminator_taken_off(self) -> None:
        found = flat(parse([f">none\n>one\n{GOOD}*\n".encode()], Format.FASTA))
        assert [record.reason for record in found] == ["empty", ""]

    def test_a_file_that_lost_its_line_ends_is_told_how_to_keep_them(self) -> None:
        [record] = flat(parse([f">one {GOOD}".encode()], Format.FASTA))
        assert "--data-binary" in record.text

    @pytest.mark.parametrize("newline", [b"", b"\n"])
    def test_a_record_over_many_blocks_is_too_long_and_the_next_is_read(self, newline: bytes) -> None:
        chunks = [b">long\n", *[b"A" * 1000 + newline] * 3000, b"\n>one\n", LINE]
        found = flat(parse(chunks, Format.FASTA))
        assert [record[1:3] for record in found] == [("too_long_line", "over 1048576 bytes"), ("", GOOD)]
        assert found[1].line == 2 + len(b"".join(chunks[1:-2]).split(b"\n"))

    def test_a_header_too_long_takes_its_record_along(self) -> None:
        chunks = [b">one\n", LINE, b">", *[b"x" * (1 << 20)] * 3, b"\n", LINE, b">two\n", LINE]
        found = flat(parse(chunks, Format.FASTA))
        assert [record[:2] for record in found] == [(1, ""), (3, "too_long_line"), (5, "")]


class TestCsv:
    def test_other_columns_are_carried(self) -> None:
        data = f'Name,SEQUENCE,ID,"a, b"\nx,{GOOD},7,"say ""hi"""\n,{GOOD}\n'.encode()
        (block,) = (block for block in parse([data], Format.CSV) if block.received)
        assert block.columns == ("Name", "a, b")
        assert block.ids == ["7", ""]
        assert block.extra == [("x", 'say "hi"'), ("",)]
        assert block.lines.tolist() == [2, 3]

    def test_the_column_can_be_named(self) -> None:
        data = f"sequence,Binder\nx,{GOOD}\n".encode()
        assert sequences(parse([data], Format.CSV, column="binder")) == [GOOD]

    @pytest.mark.parametrize("mark", ["\t", ";"])
    def test_tabs_and_semicolons_separate_too(self, mark: str) -> None:
        assert sequences(parse([f"id{mark}sequence\n1{mark}{GOOD}".encode()], Format.CSV)) == [GOOD]

    @pytest.mark.parametrize("data", [b"", b"\n\n"])
    def test_an_empty_one_is_no_records(self, data: bytes) -> None:
        assert list(parse([data], Format.CSV)) == []

    @pytest.mark.parametrize("data", [b"name,text\nx,y\n", b"\xff\xfe,x\n", b"x" * (3 << 20)])
    def test_without_the_column_nothing_can_be_read(self, data: bytes) -> None:
        with pytest.raises(UnreadableInput):
            list(parse([data], Format.CSV))

    def test_the_columns_are_listed(self) -> None:
        with pytest.raises(UnreadableInput, match="no column 'sequence'; it has: name, text") as caught:
            list(parse([b"name,text\n"], Format.CSV))
        assert caught.value.details == {"columns": ["name", "text"]}

    def test_a_quote_never_closed_costs_one_record(self) -> None:
        rows = [b'1,"' + LINE, *[b"2," + LINE] * 60_000]
        found = flat(parse([b"id,sequence\n", *rows], Format.CSV))
        assert found[0][:2] == (2, "malformed")
        assert [record[:2] for record in found[1:]] == [(line, "") for line in range(3, 60_003)]

    def test_bytes_that_are_not_utf_8_are_replaced_where_they_are_only_carried(self) -> None:
        (_, record) = flat(parse([b"sequence,note\n", LINE[:-1] + b",\xe9\n", b"AC\xe9,x\n"], Format.CSV))[::-1]
        assert record.extra == ("\N{REPLACEMENT CHARACTER}",)


class TestItems:
    def test_strings_and_objects_are_read(self) -> None:
        block = parse_items([GOOD, {"id": 3, "sequence": GOOD}, {"id": "x", "sequence": "AC"}, f" {GOOD}\r\n"])
        assert block.ids == ["", "3", ""]
        assert block.lines.tolist() == [1, 2, 4]
        assert block.rejects == [Reject(3, "length", "2 residues, expected 50")]

    def test_without_ids_there_are_none(self) -> None:
        assert parse_items([GOOD]).ids is None
        assert parse_items([]).received == 0

    @pytest.mark.parametrize("item", [None, 5, [GOOD], {}, {"sequence": 5}, {"sequence": GOOD, "id": [1]}])
    def test_another_shape_names_its_place(self, item: object) -> None:
        with pytest.raises(MalformedBody, match=r"sequences\[1\]"):
            parse_items([GOOD, item])

    def test_a_bad_id_of_a_bad_sequence_is_a_wrong_shape_too(self) -> None:
        with pytest.raises(MalformedBody, match="id of sequences"):
            parse_items([{"sequence": "AC", "id": True}])


@pytest.mark.parametrize(
    ("head", "content_type", "filename", "fmt"),
    [
        (b"", "", "", Format.LINES),
        (b"ACD\n", "text/plain", "x.txt", Format.LINES),
        (b"ACD\n", "text/x-fasta; charset=utf-8", "x.csv", Format.FASTA),
        (b"ACD\n", "Text/CSV", "", Format.CSV),
        (b"ACD\n", "application/octet-stream", "dir.v2/x.FAA.gz", Format.FASTA),
        (b"ACD\n", "text/plain", "x.csv", Format.CSV),
        (b"\xef\xbb\xbf\r\n >x", "", "", Format.FASTA),
        (b'"id","Sequence"\r1,A', "", "noname", Format.CSV),
        (b"name\tsequence\n", "", "", Format.CSV),
        (b"SEQUENCES\n", "", "", Format.LINES),
    ],
)
def test_sniffing(head: bytes, content_type: str, filename: str, fmt: Format) -> None:
    assert sniff_format(head, content_type, filename) is fmt


BY_LINE = [Format.LINES, Format.FASTA, Format.CSV, Format.JSONL]


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def consumed(chunks: Iterator[bytes], fmt: Format) -> int:
    return sum(block.received for block in parse(chunks, fmt))


@pytest.mark.parametrize("fmt", BY_LINE)
def test_a_line_of_a_hundred_megabytes_needs_no_memory(fmt: Format) -> None:
    def chunks() -> Iterator[bytes]:
        yield from [b"id,sequence\n"] * (fmt is Format.CSV)
        yield from [b"A" * (1 << 20)] * 100
        yield b"\n"

    assert peak(lambda: consumed(chunks(), fmt)) < 12 << 20


@pytest.mark.parametrize("fmt", BY_LINE)
@pytest.mark.parametrize("line", [b"\n", b"x\n", b">\n", b'",\n'])
def test_a_block_of_tiny_lines_is_not_large(fmt: Format, line: bytes) -> None:
    blocks = list(parse([b"id,sequence\n" * (fmt is Format.CSV), line * 100_000], fmt))
    assert max(block.received for block in blocks) <= LIMITS.block_records
    assert sum(block.received for block in blocks) >= 50_000 * (fmt is not Format.FASTA)
