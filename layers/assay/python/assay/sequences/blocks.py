"""Blocks of encoded sequences, and the rejected records."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from assay.sequences.contract import DEFAULT, LINKER, Contract, Lenience
from assay.text.records import EMPTY, ENCODING, LENGTH, RESIDUE, TOO_LONG, Limits, Notice, Reject, notice


@dataclass(frozen=True, eq=False, slots=True)
class WindowIds(Sequence[str]):
    """The ids of [N] windows, made when they are read: most windows of a proteome are in no ranking.

    `words` name the records, `records` [N] are theirs, `firsts` [N] the residues that windows begin with, from 0.
    """

    words: Sequence[str]
    records: NDArray[np.intp]
    firsts: NDArray[np.intp]
    length: int

    def __len__(self) -> int:
        """Return N."""
        return len(self.records)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        """Return the id of a window, or those of several."""
        if isinstance(at, slice):
            return [self[each] for each in range(len(self))[at]]
        return name_window(self.words[self.records[at]], int(self.firsts[at]), self.length)


def name_window(word: str, first: int, length: int) -> str:
    """Return a window's id: the record's, and its residues from 1 as alignments write them, `P12345/101-150`."""
    return f"{word}/{first + 1}-{first + length}"


@dataclass(frozen=True, slots=True)
class Block:
    """One parsed stretch of input, N sequences in input order; N + len(rejects) records were received."""

    codes: NDArray[np.uint8]
    """[N, length] alphabet indices; rows may be strided."""
    lines: NDArray[np.int64]
    """[N] 1-based lines, ascending (FASTA: the header's; JSON: the position in the list)."""
    ids: Sequence[str] | None = None
    extra: Sequence[tuple[str, ...]] | None = None
    rejects: list[Reject] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    contract: Contract = DEFAULT
    notices: list[Notice] = field(default_factory=list)

    @property
    def received(self) -> int:
        """Return how many records this stretch of input held."""
        return len(self.lines) + len(self.rejects)


def rejected_block(rejects: list[Reject], contract: Contract) -> Block:
    """Return a block of no sequences."""
    none = np.empty((0, contract.length), np.uint8)
    return Block(none, np.empty(0, np.int64), rejects=rejects, contract=contract)


STRIPPED: Final = "terminator_stripped"
REMOVED: Final = "gaps_removed"
PADDED: Final = "padded"
_SAID: Final = {
    STRIPPED: "a final '*' was removed: it ends a protein and is not a residue (terminator=reject rejects it)",
    REMOVED: "gaps were removed, because of gaps=remove",
    PADDED: f"{LINKER} was appended to sequences that are too short by its length, because of pad=linker",
}


class Tidied(NamedTuple):
    """A sequence as it is judged, and what was done to it that a caller is told."""

    text: bytes
    done: tuple[str, ...] = ()


def tidy(text: bytes, contract: Contract) -> Tidied:
    """Return a sequence without the characters that are forgiven."""
    gaps = contract.gaps.encode()
    done = []
    words = text.translate(_SPACED).split(b" ")
    letters = [word for word in words if word and not word.isdigit()] if contract.numbered else words
    found = b"".join(letters or words)
    if gaps and len(found.translate(None, gaps)) < len(found):
        found = found.translate(None, gaps)
        done.append(REMOVED)
    if contract.terminated and found.endswith(b"*"):
        found = found[:-1]
        done.append(STRIPPED)
    if contract.padded and len(found) == contract.padded:
        found += LINKER.encode()
        done.append(PADDED)
    return Tidied(found, tuple(done))


def tell_tidied(code: str, lines: Iterable[int]) -> Notice:
    """Return the notice of what was done to sequences of some lines."""
    return notice(code, _SAID[code], sorted(lines))


_SPACED: Final = bytes.maketrans(b"\t\r\n", b"   ")


Index = NDArray[np.intp]
_REASONS = (LENGTH, RESIDUE, ENCODING, EMPTY, TOO_LONG)
_TERMINATOR = ord("*")
_WORD: Final = 4
_KNOWN: Final = {
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
"""What letters stand for that are no residues of the usual alphabet."""


class Spans(NamedTuple):
    """Sequences lying in one buffer: `codes` is `text` through the byte table; [start, stop) is each one's place."""

    text: NDArray[np.uint8]
    codes: NDArray[np.uint8]
    starts: Index
    stops: Index
    lines: NDArray[np.int64]
    advice: str = ""
    """What to do about a sequence that is too short, where nothing better can be said."""

    def part(self, first: int, last: int) -> "Spans":
        """Return the sequences [first, last) of the same buffer."""
        return self._replace(starts=self.starts[first:last], stops=self.stops[first:last], lines=self.lines[first:last])


class Checked(NamedTuple):
    """The sequences that hold the contract ([N, length] indices), which of the spans they are, and the others.

    `notices` say what was done to some of them first.
    """

    codes: NDArray[np.uint8]
    kept: Index
    rejects: list[Reject]
    notices: Sequence[Notice] = ()


def number_lines(lines: Sequence[int]) -> NDArray[np.int64]:
    """Return lines as an array [N]."""
    if isinstance(lines, range):
        return np.arange(lines.start, lines.stop, lines.step)
    return np.array(lines, np.int64)


def encode(data: bytes, contract: Contract) -> NDArray[np.uint8]:
    """Return the code of each byte, in one pass over them."""
    return np.frombuffer(data.translate(byte_table(contract.alphabet, contract.gaps)), np.uint8)


def check_texts_of(spans: Spans, contract: Contract, limits: Limits, sizes: Index | None = None) -> Checked:
    """Encode the spans that keep the contract, tidied if necessary, and reject the others.

    All is in order. `sizes` are the records' bytes before anything was stripped, where that is more than the span.
    """
    widths = spans.stops - spans.starts
    fitting = widths == contract.length
    if sizes is not None:
        fitting &= sizes <= limits.record_bytes
    kept = np.flatnonzero(fitting)
    codes = copy_rows(spans.codes, spans.starts[kept], contract.length)
    if codes.size and codes.max() >= BLANK:
        clean = (codes < BLANK).all(axis=1)
        codes, kept = codes[clean], kept[clean]
    if len(kept) == len(widths):
        return Checked(codes, kept, [])
    others = np.ones(len(widths), np.bool_)
    others[kept] = False
    which = np.flatnonzero(others)
    untidy = _untidy(spans, which, contract, limits, sizes)
    found = Checked(codes, kept, _explain(spans, which[~untidy], contract, limits, sizes))
    return _judge_untidy(found, spans, which[untidy], which[~untidy], contract, limits) if untidy.any() else found


def _untidy(spans: Spans, which: Index, contract: Contract, limits: Limits, sizes: Index | None) -> NDArray[np.bool_]:
    """Say which of the spans `which` may hold the contract once they are tidied, or are judged better then."""
    starts, stops = spans.starts[which], spans.stops[which]
    blank = (spans.codes == BLANK) | (spans.codes == NEWLINE) | (spans.text == ord("\r"))
    found, _ = _first(np.flatnonzero(blank), starts, stops)
    if contract.terminated:
        last = np.append(spans.text, np.uint8(0)).take(stops - 1, mode="clip")
        found |= (stops > starts) & (last == _TERMINATOR)
    if contract.padded:
        found |= stops - starts == contract.padded
    return found & ((stops - starts if sizes is None else sizes[which]) <= limits.record_bytes)


def _judge_untidy(
    found: Checked, spans: Spans, untidy: Index, others: Index, contract: Contract, limits: Limits
) -> Checked:
    """Judge the spans that are untidy, and put the outcome in its places among the others."""
    bounds = zip(spans.starts[untidy].tolist(), spans.stops[untidy].tolist(), strict=True)
    texts = [tidy(spans.text[start:stop].tobytes(), contract) for start, stop in bounds]
    again = _judge([each.text for each in texts], spans, untidy, contract, limits)
    kept = np.concatenate([found.kept, untidy[again.kept]])
    order = np.argsort(kept, kind="stable")
    codes = np.concatenate([found.codes, again.codes])[order]
    refused = np.concatenate([others, np.delete(untidy, again.kept)])
    rejects = [*found.rejects, *again.rejects]
    done: dict[str, list[int]] = {}
    for at in again.kept.tolist():
        for code in texts[at].done:
            done.setdefault(code, []).append(int(spans.lines[untidy[at]]))
    notices = [tell_tidied(code, lines) for code, lines in done.items()]
    return Checked(codes, kept[order], [rejects[at] for at in np.argsort(refused).tolist()], notices)


def _judge(parts: Sequence[bytes], whole: Spans, which: Index, contract: Contract, limits: Limits) -> Checked:
    """Encode and check as they stand the texts that were the spans `which`."""
    spans = _spans(parts, whole.lines[which], contract)._replace(advice=whole.advice)
    strict = replace(contract, lenience=Lenience(terminator=False))
    return check_texts_of(spans, strict, limits)


def _spans(parts: Sequence[bytes], lines: NDArray[np.int64], contract: Contract) -> Spans:
    stops = np.cumsum(np.fromiter(map(len, parts), np.intp, len(parts)))
    starts = np.concatenate([np.zeros(1, np.intp), stops[:-1]]) if len(parts) else stops
    data = b"".join(parts)
    return Spans(np.frombuffer(data, np.uint8), encode(data, contract), starts, stops, lines)


def check_texts(
    texts: Sequence[str], lines: NDArray[np.int64], contract: Contract, limits: Limits, errors: str
) -> Checked:
    """Encode and check sequences that are text already; `errors` says how lone surrogates become bytes."""
    whole = "\n".join((*texts, ""))
    if not whole.isascii():
        return _check_each(texts, lines, contract, limits, errors)
    plain = whole.encode()
    codes = encode(plain, contract)
    table = reshape_lines(codes, contract.length)
    if table is not None and len(table) == len(texts):
        return Checked(table, np.arange(len(texts)), [])
    ends = np.flatnonzero(codes == NEWLINE)
    if len(ends) != len(texts) or any(blank in whole for blank in " \t\r"):
        return _check_each(texts, lines, contract, limits, errors)
    starts = np.append(0, ends + 1)[:-1]
    return check_texts_of(Spans(np.frombuffer(plain, np.uint8), codes, starts, ends, lines), contract, limits)


def _check_each(
    texts: Sequence[str], lines: NDArray[np.int64], contract: Contract, limits: Limits, errors: str
) -> Checked:
    """Check texts that have blanks at their ends, or more than ASCII."""
    parts = [text.strip(" \t\r\n").encode("utf-8", errors) for text in texts]
    return check_texts_of(_spans(parts, lines, contract), contract, limits)


def reshape_lines(codes: NDArray[np.uint8], length: int) -> NDArray[np.uint8] | None:
    """Return [N, length] when every line is `length` residues and nothing else, or None; the rows are strided."""
    count, rest = divmod(len(codes), length + 1)
    if rest or np.count_nonzero(codes >= BLANK) != count:
        return None
    table = codes.reshape(count, length + 1)
    return table[:, :length] if (table[:, length] == NEWLINE).all() else None


def line_bounds(codes: NDArray[np.uint8]) -> tuple[Index, Index]:
    """Return where each line starts and where its LF lies, in bytes that end with one."""
    stops = np.flatnonzero(codes == NEWLINE)
    return np.concatenate([np.zeros(1, np.intp), stops[:-1] + 1]), stops


def strip_blanks(codes: NDArray[np.uint8], starts: Index, stops: Index) -> tuple[Index, Index]:
    """Return the spans without blanks at their ends; a span of blanks only becomes empty."""
    solid = np.append(np.flatnonzero((codes != BLANK) & (codes != NEWLINE)), len(codes))
    first, last = np.searchsorted(solid, starts), np.searchsorted(solid, stops)
    some = last > first
    return np.where(some, solid[first], starts), np.where(some, solid[last - 1] + 1, starts)


def copy_rows(codes: NDArray[np.uint8], starts: Index, length: int) -> NDArray[np.uint8]:
    """Copy `length` codes from each start: [N, length]."""
    if not len(starts):
        return np.empty((0, length), np.uint8)
    return np.lib.stride_tricks.sliding_window_view(codes, length)[starts]


def _explain(spans: Spans, which: Index, contract: Contract, limits: Limits, sizes: Index | None) -> list[Reject]:
    """Return the rejects of the spans `which`; the first of too long, empty, encoding, residue, length counts."""
    if not len(which):
        return []
    starts, stops = spans.starts[which], spans.stops[which]
    widths = stops - starts
    odd, odd_at = _first(np.flatnonzero(spans.codes >= BLANK), starts, stops)
    foreign, foreign_at = _first(np.flatnonzero(spans.text >= 0x80), starts, stops)
    too_big = (widths if sizes is None else sizes[which]) > limits.record_bytes
    reasons = np.select([too_big, widths == 0, foreign, odd], [4, 3, 2, 1], 0)
    at = np.where(foreign, foreign_at, np.where(odd, odd_at, starts))
    symbols = np.append(spans.text, np.uint8(0)).take(at, mode="clip").astype(np.intp)
    wanted = np.select([reasons == 4, reasons == 0], [limits.record_bytes, contract.length], symbols)
    facts = zip(reasons.tolist(), (at - starts + 1).tolist(), wanted.tolist(), widths.tolist(), strict=True)
    lines = spans.lines[which].tolist()
    return [
        Reject(line, _REASONS[fact[0]], _detail(*fact, spans.advice)) for line, fact in zip(lines, facts, strict=True)
    ]


def _first(found: Index, starts: Index, stops: Index) -> tuple[NDArray[np.bool_], Index]:
    """Return for each span whether it holds one of the ascending positions `found`, and the first it holds."""
    ends = np.append(found, np.iinfo(np.intp).max)
    at = ends[np.searchsorted(found, starts)]
    return at < stops, at


@lru_cache(maxsize=1 << 14)
def _detail(reason: int, position: int, value: int, width: int, advice: str) -> str:
    """Say what is wrong; the cache makes the same words for many records cost nothing."""
    match _REASONS[reason]:
        case "length":
            return f"{width} residues, expected {value}{_hint(width, value, advice)}"
        case "residue" if value == _TERMINATOR and position == width:
            return f"'*' at position {position}: it ends a protein, and terminator=strip removes it"
        case "residue":
            known = _KNOWN.get(chr(value).upper(), "")
            return f"{chr(value)!r} at position {position}{known and f': {known}'}"
        case "encoding":
            return f"byte 0x{value:02X} at position {position} is not ASCII"
        case "empty":
            return "no residues"
        case _:
            return f"over {value} bytes"


def _hint(width: int, length: int, advice: str) -> str:
    """Return what may be meant by a sequence of another length; `advice` is for one that is short, but no mere word."""
    if width == length - len(LINKER):
        return f": pad=linker appends {LINKER}"
    if width < length:
        return f": {advice}" if advice and width > _WORD else ""
    if not width % length:
        lost = f"{width // length} sequences whose line ends were lost (curl keeps them with --data-binary)"
        return f": {lost}, or a protein: window={length} ranks each stretch of it, as FASTA"
    return f": window={length} ranks each stretch of a longer protein, as FASTA"


# Codes above every residue: what a byte is when it is not a residue.
BLANK: Final = 0xFC
NEWLINE: Final = 0xFD
NON_ASCII: Final = 0xFE
UNKNOWN: Final = 0xFF


@lru_cache(maxsize=64)
def byte_table(alphabet: str, gaps: str = "") -> bytes:
    """Return the 256 codes for `bytes.translate`: residue indices, else BLANK, NEWLINE, NON_ASCII or UNKNOWN.

    Symbols of `gaps` are blanks.
    """
    table = bytearray([UNKNOWN] * 0x80 + [NON_ASCII] * 0x80)
    for symbol in f" \t{gaps}":
        table[ord(symbol)] = BLANK
    table[ord("\n")] = NEWLINE
    for index, symbol in enumerate(alphabet):
        table[ord(symbol)] = table[ord(symbol.lower())] = index
    return bytes(table)


def decode(codes: NDArray[np.uint8], contract: Contract = DEFAULT) -> list[str]:
    """Return the upper-case sequences of `codes`, alphabet indices of shape [N, length]."""
    letters = np.frombuffer(contract.alphabet.encode("ascii"), np.uint8)
    text = letters[codes].tobytes().decode("ascii")
    width = codes.shape[1]
    return [text[start : start + width] for start in range(0, len(text), width)]
