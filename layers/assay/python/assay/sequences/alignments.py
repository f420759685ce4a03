"""Stockholm and Clustal: alignments that name each sequence on its lines, in one or more blocks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np

from assay.errors import UnreadableInput
from assay.sequences.blocks import Block, check_texts
from assay.sequences.contract import GAP_SYMBOLS, Contract
from assay.text.lines import Frame
from assay.text.records import Limits, notice

MOST_BYTES: Final = 256 << 20
"""Of one alignment: its blocks are put together before any sequence is whole."""
_GAPS: Final = GAP_SYMBOLS.encode()
_REMOVED: Final = "gaps of the alignment were removed, because they are not residues"
_BEGINS: Final = re.compile(rb"# ?STOCKHOLM[ \t]|(?:CLUSTAL|MUSCLE|PROBCONS|MSAPROBS)[ \t(].* alignment")
_TITLE: Final = re.compile(rb"(?:CLUSTAL|MUSCLE|PROBCONS|MSAPROBS)[ \t(]")
_MARKS: Final = b" \t\r\v\f*:."
"""All blanks of ASCII, so that a line with anything else has a name; and what marks columns that are alike."""
_INSTEAD: Final = "send its sequences as FASTA"


@dataclass(slots=True)
class _Alignment:
    """Names in order, where each stands first, and its residues so far.

    A name that stands twice in one block is two sequences: each goes on where the name stands as often before.
    """

    rows: dict[tuple[bytes, int], tuple[int, list[bytes]]] = field(default_factory=dict)
    block: Counter[bytes] = field(default_factory=Counter)
    """How often each name stands in the block that is read."""
    size: int = 0
    gaps: bool = False

    def add(self, text: bytes, line: int) -> None:
        """Take a line of a name and residues. Raises UnreadableInput where the whole is too large."""
        name, *words = text.split()
        found = b"".join(word for word in words if not word.isdigit())
        residues = found.translate(None, _GAPS)
        self.gaps = self.gaps or len(residues) < len(found)
        self.rows.setdefault((name, self.block[name]), (line, []))[1].append(residues)
        self.block[name] += 1
        self.size += len(text)
        if self.size > MOST_BYTES:
            raise UnreadableInput(f"the alignment has over {MOST_BYTES >> 20} MiB: {_INSTEAD}")


def parse_alignment(framed: Iterable[Frame], contract: Contract, limits: Limits, line: int) -> Iterator[Block]:
    """Yield blocks of an alignment's sequences, without gaps; a sequence's line is its first.

    Raises UnreadableInput for an alignment too large to be put together, and for a line too long to be read, whose
    sequence would lack a part.
    """
    found = _Alignment()
    for frame in framed:
        for text in frame.data.removesuffix(b"\n").split(b"\n"):
            if frame.overlong or len(text) > limits.record_bytes:
                raise UnreadableInput(f"line {line} of the alignment has over {limits.record_bytes} bytes: {_INSTEAD}")
            if text.startswith(b"//") or (found.rows and _BEGINS.match(text)):
                yield from _blocks(found, contract, limits)
                found = _Alignment()
            elif not text.strip(_MARKS):  # behind a block, or what marks its columns that are alike
                found.block.clear()
            elif not text.startswith(b"#") and (found.rows or not _TITLE.match(text)):
                found.add(text, line)
            line += 1
    yield from _blocks(found, contract, limits)


def _blocks(found: _Alignment, contract: Contract, limits: Limits) -> Iterator[Block]:
    rows = iter(found.rows.items())
    while some := list(islice(rows, limits.block_records)):
        texts = [b"".join(parts).decode("latin-1") for _, (_, parts) in some]
        lines = np.array([line for _, (line, _) in some], np.int64)
        checked = check_texts(texts, lines, contract, limits, "surrogateescape")
        ids = [some[index][0][0].decode("utf-8", "replace") for index in checked.kept.tolist()]
        block = Block(checked.codes, lines[checked.kept], ids, rejects=checked.rejects, contract=contract)
        if found.gaps:
            block.notices.append(notice("gaps_removed", _REMOVED))
        yield block
