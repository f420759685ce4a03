"""Slow, plain parsers and a ranker to compare the fast ones with: one record at a time, everything in memory."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.jobs.byte_ranges import LineCounter
from assay.options import RankOptions
from assay.ranking.ranking import Counts
from assay.sequences.blocks import Block, decode
from assay.sequences.contract import Contract
from assay.text.records import Limits

SMALL = Contract("ACD", 3)
STRAY = "text before the first '>' header"
KNOWN = {
    "X": "any residue, but the models read known residues only",
    "B": "aspartate or asparagine, but the models need to know which",
    "Z": "glutamate or glutamine, but the models need to know which",
    "J": "leucine or isoleucine, but the models need to know which",
    "U": "selenocysteine, which the models do not read",
    "O": "pyrrolysine, which the models do not read",
    "*": "a stop within the sequence",
    "-": "a gap; gaps=remove removes gaps",
    ".": "a gap; gaps=remove removes gaps",
    "~": "a gap; gaps=remove removes gaps",
    "_": "a gap; gaps=remove removes gaps",
}


class Record(NamedTuple):
    """A record as both ways of parsing give it: accepted where `reason` is empty."""

    line: int
    reason: str
    text: str
    id: str | None = None
    extra: tuple[str, ...] = ()


def flat(blocks: Iterable[Block]) -> list[Record]:
    """Return the records of blocks by line, after checking that they come in order."""
    found: list[Record] = []
    for block in blocks:
        texts = decode(block.codes, block.contract)
        ids = block.ids if block.ids is not None else [None] * len(texts)
        extra = block.extra if block.extra is not None else [()] * len(texts)
        accepted = zip(block.lines.tolist(), [""] * len(texts), texts, ids, extra, strict=True)
        records = [Record(*values) for values in accepted] + [Record(*reject) for reject in block.rejects]
        assert not found or not records or min(records).line > found[-1].line
        assert block.lines.tolist() == sorted(block.lines.tolist())
        assert block.rejects == sorted(block.rejects)
        found += sorted(records)
    return found


def tidy(text: bytes) -> bytes:
    """Return a sequence without blanks, numbers that stand by themselves, and a final star."""
    words = text.replace(b"\t", b" ").replace(b"\r", b" ").replace(b"\n", b" ").split(b" ")
    letters = [word for word in words if word and not word.isdigit()]
    return b"".join(letters or words).removesuffix(b"*")


def hint(width: int, length: int) -> str:
    """Return the advice behind a wrong length."""
    if width <= length:
        return ""
    ranked = f"window={length} ranks each stretch"
    if width % length:
        return f": {ranked} of a longer protein, as FASTA"
    lost = f"{width // length} sequences whose line ends were lost (curl keeps them with --data-binary)"
    return f": {lost}, or a protein: {ranked} of it, as FASTA"


def judge(text: bytes, contract: Contract) -> tuple[str, str]:
    """Return (reason, detail), or ("", the upper-case sequence)."""
    text = tidy(text)
    if not text:
        return "empty", "no residues"
    for position, byte in enumerate(text, 1):
        if byte >= 0x80:
            return "encoding", f"byte 0x{byte:02X} at position {position} is not ASCII"
    for position, byte in enumerate(text, 1):
        if chr(byte).upper() not in contract.alphabet:
            known = f"{chr(byte)!r} at position {position}"
            last = f"{known}: it ends a protein, and terminator=strip removes it"
            stands_for = KNOWN.get(chr(byte).upper(), "")
            if byte == ord("*") and position == len(text):
                return "residue", last
            return "residue", known + (f": {stands_for}" if stands_for else "")
    if len(text) != contract.length:
        return "length", f"{len(text)} residues, expected {contract.length}{hint(len(text), contract.length)}"
    return "", text.decode().upper()


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines of `data` without their ends."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def numbered(data: bytes) -> enumerate[bytes]:
    """Return the lines of a document with their numbers."""
    return enumerate(split_lines(data.removeprefix(b"\xef\xbb\xbf")), 1)


def parse_lines(data: bytes, contract: Contract, limits: Limits) -> list[Record]:
    """Parse a sequence a line."""
    found = []
    for line, text in numbered(data):
        if len(text) > limits.record_bytes:
            found.append(Record(line, "too_long_line", f"over {limits.record_bytes} bytes"))
        else:
            found.append(_advised(Record(line, *judge(text.strip(b" \t"), contract))))
    return found


def _advised(record: Record) -> Record:
    """Add to a line that is no mere word what it may be, if there is no other advice."""
    short = record.reason == "length" and ":" not in record.text and int(record.text.split()[0]) > 4
    part = ": if it is a part of a sequence, send the sequence on one line, or as FASTA, where it may have several"
    return record._replace(text=record.text + part) if short else record


class Fasta:
    """A FASTA record while it is read."""

    def __init__(self, line: int, header: bytes) -> None:
        self.line, self.size, self.residues, self.ended = line, len(header) + 2, b"", False
        self.glued = False
        self.pir = header[:3] in (b"P1;", b"F1;")
        self.header = header[3:] if self.pir else header
        self.title: bytes | None = None if self.pir else b""

    def add(self, text: bytes) -> None:
        """Take residues: words of digits are numbers of lines, and PIR's end at a star."""
        words = [word for word in text.replace(b"\t", b" ").split(b" ") if not word.isdigit()]
        for letter in b"".join(words).decode("latin-1"):
            self.ended = self.ended or (self.pir and letter == "*")
            self.residues += b"" if self.ended else letter.encode("latin-1")


def parse_fasta(data: bytes, contract: Contract, limits: Limits) -> list[Record]:
    """Parse FASTA."""
    found: list[Record] = []
    records: list[Fasta] = []
    for line, text in numbered(data):
        if text.startswith(b">"):
            records.append(Fasta(line, text[1:]))
        elif records:
            _add_line(records, line, text)
        elif len(text) > limits.record_bytes:
            found.append(Record(line, "too_long_line", f"over {limits.record_bytes} bytes"))
        elif text.strip(b" \t") and text.strip(b" \t")[:1] not in (b";", b"#"):
            found.append(Record(line, "residue", STRAY))
    for at, record in enumerate(records):
        if not record.glued:
            more = list(takewhile(lambda each: each.glued, records[at + 1 :]))
            if record.size + sum(each.size for each in more) > limits.record_bytes:
                found.append(Record(record.line, "too_long_line", f"over {limits.record_bytes} bytes"))
            else:
                found += [_fasta_record(each, contract) for each in (record, *more)]
    return found


def _add_line(records: list[Fasta], line: int, text: bytes) -> None:
    last = records[-1]
    if last.title is None or text.startswith(b";"):
        last.title = text.strip(b" \t") if last.title is None else last.title
        last.size += len(text) + 1
        return
    body, glued, rest = text.partition(b">")
    last.add(body)
    last.size += len(body) + (not glued)
    if glued:
        records.append(Fasta(line, rest))
        records[-1].glued = True


def _fasta_record(record: Fasta, contract: Contract) -> Record:
    reason, text = judge(record.residues, contract)
    header = record.header.strip(b" \t") + b" " + (record.title or b"")
    title = header.strip(b" \t").decode("utf-8", "replace")
    name = title.replace("\t", " ").split(" ")[0]
    carried = (None, ()) if reason else (name[:255], (title[:1000],))
    return Record(record.line, reason, text, *carried)


def csv_row(lines: list[str], at: int, longest: int, mark: str = ",") -> tuple[list[str], int] | None:
    """Return the cells of the row that begins at a line and the line behind it; None where its quotes are wrong."""
    cells, cell, state, size = [], "", "begin", -1
    for number in range(at, len(lines)):
        size += len(lines[number].encode("utf-8", "surrogateescape")) + 1
        if size > longest:
            return None
        for letter in lines[number] + "\n":
            if state == "quoted":
                cell, state = (cell, "closed") if letter == '"' else (cell + letter, state)
            elif state == "closed" and letter == '"':
                cell, state = cell + letter, "quoted"
            elif letter in (mark, "\n"):
                cells.append(cell)
                cell, state = "", "begin"
            elif state == "closed":
                return None
            else:
                state = "quoted" if state == "begin" and letter == '"' else "plain"
                cell += letter * (state == "plain")
        if state == "begin":
            return cells, number + 1
    return None


def csv_rows(data: bytes, longest: int, mark: str = ",") -> Iterator[tuple[int, list[str] | None]]:
    """Yield the line and the cells of each row; no cells for one that is malformed, whose next line is a row again."""
    lines = [line.decode("utf-8", "surrogateescape") for line in split_lines(data)]
    at = 0
    while at < len(lines):
        found = csv_row(lines, at, longest, mark)
        yield at + 1, None if found is None else found[0] if lines[at] else []
        at = at + 1 if found is None else found[1]


def parse_csv(data: bytes, contract: Contract, longest: int = 1 << 20, mark: str = ",") -> list[Record]:
    """Parse a table whose header row has one line that is short enough, its cells separated by `mark`."""
    found_rows = csv_rows(data, longest, mark)
    names = next(found_rows)[1] or []
    found = []
    lines = split_lines(data)
    for line, cells in found_rows:
        if cells is None:
            too_long = len(lines[line - 1]) > longest
            found.append(Record(line, "too_long_line" if too_long else "malformed", ""))
            continue
        padded = cells + [""] * len(names)
        sequence = padded[names.index("sequence")].strip(" \t\r\n").encode("utf-8", "surrogateescape")
        reason, words = judge(sequence, contract)
        readable = [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in padded]
        name = readable[names.index("id")] if "id" in names else None
        extra = tuple(readable[at] for at, column in enumerate(names) if column not in ("id", "sequence"))
        found.append(Record(line, reason, words, None if reason else name, () if reason else extra))
    return found


Model = Callable[[str], float]


class Fake:
    """A scorer made of a function of the sequence's text, for batches of any size."""

    def __init__(self, model: Model, contract: Contract = SMALL, batch: int = 1) -> None:
        self.model, self.contract, self.batch = model, contract, batch
        self.calls: list[int] = []

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Apply the function to each row."""
        self.calls.append(len(codes))
        return np.array([self.model(text) for text in decode(codes, self.contract)], np.float32)


def rank(
    records: Iterable[Record], gate: Model, score: Model, options: RankOptions, *, deduplicate: bool
) -> tuple[list[tuple[str, float, float, int]], Counts]:
    """Rank by sorting everything; values are float32."""
    received = rejected = duplicates = 0
    seen: set[str] = set()
    passed = []
    for record in records:
        received += 1
        known, opened = record.text in seen, np.float32(gate(record.text)) if not record.reason else np.float32(0)
        if record.reason:
            rejected += 1
        elif deduplicate and known:
            duplicates += 1
        elif not math.isfinite(opened):
            rejected += 1
        elif opened > np.float32(options.threshold):
            value = np.float32(score(record.text))
            rejected += not math.isfinite(value)
            passed += [(record.text, float(value), float(opened), record.line)] * math.isfinite(value)
        if not record.reason:
            seen.add(record.text)
    best: dict[str, tuple[str, float, float, int]] = {}
    for row in sorted(passed, key=lambda row: (-row[1], row[3])):
        best.setdefault(row[0], row)
    top = list(best.values())[: options.top_k]
    scored = received - rejected - duplicates
    return top, Counts(received, scored, len(passed), len(top), rejected, duplicates)


def count_lines(chunks: Iterable[bytes]) -> int:
    """Return how many lines there are, an unfinished last one included."""
    counter = LineCounter()
    for chunk in chunks:
        counter.add(chunk)
    return counter.lines
