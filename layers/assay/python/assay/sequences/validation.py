"""Encoding and checking of many sequences at once: arithmetic on the bytes of a block, no loop over sequences."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.sequences.alphabet import BLANK, NEWLINE, Contract, byte_table
from assay.sequences.records import EMPTY, ENCODING, LENGTH, RESIDUE, TOO_LONG, Limits, Reject

Index = NDArray[np.intp]
_REASONS = (LENGTH, RESIDUE, ENCODING, EMPTY, TOO_LONG)
_TERMINATOR = ord("*")


class Spans(NamedTuple):
    """Sequences lying in one buffer: `codes` is `text` through the byte table; [start, stop) is each one's place."""

    text: NDArray[np.uint8]
    codes: NDArray[np.uint8]
    starts: Index
    stops: Index
    lines: NDArray[np.int64]

    def part(self, first: int, last: int) -> "Spans":
        """Return the sequences [first, last) of the same buffer."""
        return self._replace(starts=self.starts[first:last], stops=self.stops[first:last], lines=self.lines[first:last])


class Checked(NamedTuple):
    """The sequences that hold the contract ([N, length] indices), which of the spans they are, and the others."""

    codes: NDArray[np.uint8]
    kept: Index
    rejects: list[Reject]


def coded(data: bytes, contract: Contract) -> NDArray[np.uint8]:
    """Return the code of each byte, in one pass over them."""
    return np.frombuffer(data.translate(byte_table(contract.alphabet)), np.uint8)


def check(spans: Spans, contract: Contract, limits: Limits, sizes: Index | None = None) -> Checked:
    """Encode the spans that hold the contract and say what is wrong with the others, in order.

    `sizes` are the records' bytes before anything was stripped, where that is more than the span.
    """
    widths = spans.stops - spans.starts
    fitting = widths == contract.length
    if sizes is not None:
        fitting &= sizes <= limits.record_bytes
    kept = np.flatnonzero(fitting)
    codes = _rows(spans.codes, spans.starts[kept], contract.length)
    if codes.size and codes.max() >= BLANK:
        clean = (codes < BLANK).all(axis=1)
        codes, kept = codes[clean], kept[clean]
    others = np.ones(len(widths), np.bool_)
    others[kept] = False
    return Checked(codes, kept, _explain(spans, np.flatnonzero(others), contract, limits, sizes))


def check_texts(
    texts: Sequence[str], lines: NDArray[np.int64], contract: Contract, limits: Limits, errors: str
) -> Checked:
    """Encode and check sequences that are text already; `errors` says how lone surrogates become bytes."""
    parts = [text.strip(" \t\r\n").encode("utf-8", errors) for text in texts]
    stops = np.cumsum(np.fromiter(map(len, parts), np.intp, len(parts)))
    starts = np.concatenate([np.zeros(1, np.intp), stops[:-1]]) if len(parts) else stops
    data = b"".join(parts)
    spans = Spans(np.frombuffer(data, np.uint8), coded(data, contract), starts, stops, lines)
    return check(spans, contract, limits)


def stripped(codes: NDArray[np.uint8], starts: Index, stops: Index) -> tuple[Index, Index]:
    """Return the spans without blanks at their ends; a span of blanks only becomes empty."""
    solid = np.append(np.flatnonzero((codes != BLANK) & (codes != NEWLINE)), len(codes))
    first, last = np.searchsorted(solid, starts), np.searchsorted(solid, stops)
    some = last > first
    return np.where(some, solid[first], starts), np.where(some, solid[last - 1] + 1, starts)


def _rows(codes: NDArray[np.uint8], starts: Index, length: int) -> NDArray[np.uint8]:
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
    return [Reject(line, _REASONS[fact[0]], _detail(*fact)) for line, fact in zip(lines, facts, strict=True)]


def _first(found: Index, starts: Index, stops: Index) -> tuple[NDArray[np.bool_], Index]:
    """Return for each span whether it holds one of the ascending positions `found`, and the first it holds."""
    ends = np.append(found, np.iinfo(np.intp).max)
    at = ends[np.searchsorted(found, starts)]
    return at < stops, at


@lru_cache(maxsize=1 << 14)
def _detail(reason: int, position: int, value: int, width: int) -> str:
    """Say what is wrong; the cache makes the same words for many records cost nothing."""
    match _REASONS[reason]:
        case "length":
            return f"{width} residues, expected {value}"
        case "residue" if value == _TERMINATOR and position == width:
            return f"'*' at position {position}: a terminator is not a residue, remove it"
        case "residue":
            return f"{chr(value)!r} at position {position}"
        case "encoding":
            return f"byte 0x{value:02X} at position {position} is not ASCII"
        case "empty":
            return "no residues"
        case _:
            return f"over {value} bytes"
