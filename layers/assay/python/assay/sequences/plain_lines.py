"""A sequence a line."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assay.sequences.blocks import (
    Block,
    Spans,
    check_texts_of,
    encode,
    line_bounds,
    rejected_block,
    reshape_lines,
    strip_blanks,
)
from assay.sequences.contract import Contract
from assay.text.lines import Frame
from assay.text.records import Limits, too_long

_PART: Final = "if it is a part of a sequence, send the sequence on one line, or as FASTA, where it may have several"


def parse_lines(framed: Iterable[Frame], contract: Contract, limits: Limits, line: int) -> Iterator[Block]:
    """Yield a block for each stretch of lines; the first line has the number `line`."""
    for frame in framed:
        blocks = [rejected_block([too_long(line, limits)], contract)] if frame.overlong else None
        for block in blocks or _blocks(frame.data, contract, limits, line):
            yield block
            line += len(block.lines) + len(block.rejects)


def _blocks(data: bytes, contract: Contract, limits: Limits, line: int) -> Iterator[Block]:
    """Take lines that all hold the contract by one reshape, others by their spans."""
    codes = encode(data, contract)
    plain = reshape_lines(codes, contract.length)
    if plain is None:
        yield from _read_ragged(data, codes, contract, limits, line)
    else:
        yield Block(plain, np.arange(line, line + len(plain)), contract=contract)


def _read_ragged(
    data: bytes, codes: NDArray[np.uint8], contract: Contract, limits: Limits, line: int
) -> Iterator[Block]:
    """Yield the lines of a block in which some need more than a reshape."""
    starts, stops = line_bounds(codes)
    sizes = stops - starts
    if (b" " in data or b"\t" in data) and not contract.gaps:  # gaps are told, and so taken out one by one
        starts, stops = strip_blanks(codes, starts, stops)
    lines = np.arange(line, line + len(starts))
    spans = Spans(np.frombuffer(data, np.uint8), codes, starts, stops, lines, _PART)
    for first in range(0, len(lines), limits.block_records):
        last = first + limits.block_records
        part = spans.part(first, last)
        found = check_texts_of(part, contract, limits, sizes[first:last])
        yield Block(
            found.codes,
            part.lines[found.kept],
            rejects=found.rejects,
            contract=contract,
            notices=[*found.notices],
        )
