"""The composition of sequences: whether they look like DNA, and which are too simple to be proteins."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from assay.sequences.blocks import Block, rejected_block
from assay.sequences.contract import Contract
from assay.sequences.flatfiles import FLAT, as_fasta
from assay.sequences.formats import Format
from assay.text.lines import frames
from assay.text.records import LIMITS, Notice, notice

SIMPLE: Final = 2.2
"""Bits of entropy a residue under which a stretch is of low complexity: the trigger of SEG, Wootton & Federhen 1993,
doi:10.1016/0097-8485(93)85006-X, here over the whole sequence."""
LOW_COMPLEXITY: Final = "low_complexity"
SAID_SIMPLE: Final = (
    f"ranked sequences of low complexity, under {SIMPLE} bits a residue: the models say little about them"
)
DNA: Final = "looks_like_dna"
_DNA: Final = notice(DNA, "the input has A, C, G, T, U and N only: is it DNA? The models read proteins.")
BASES: Final = "ACGTUN"
_HEADERS: Final = re.compile(rb"^[>@;#][^\n]*", re.MULTILINE)
_LETTERS: Final = re.compile(rb"[ACGTUNacgtun\s]*")
_LEAST: Final = 20
_PLAIN: Final = (Format.LINES, Format.FASTA, Format.WRAPPED)


def tell_dna(blocks: Iterable[Block], head: bytes, fmt: Format, contract: Contract) -> Iterator[Block]:
    """Yield the same blocks, and, where all that was read are bases, at last a notice.

    A block is looked at only for as long as no protein was seen. Where no sequence holds the contract, the beginning
    says it.
    """
    bases = np.array([letter in BASES for letter in contract.alphabet])
    seen, possible = False, True
    for block in blocks:
        if possible and len(block.codes):
            seen = True
            possible = bool(bases[block.codes[:100]].all()) and bool(bases[block.codes].all())
        yield block
    if possible and (seen or _is_dna(head, fmt)):
        last = rejected_block([], contract)
        last.notices.append(_DNA)
        yield last


def _is_dna(head: bytes, fmt: Format) -> bool:
    """Say whether the beginning of lines, FASTA, or a format read as FASTA has bases only."""
    if fmt in FLAT:
        head = b"".join(frame.data for frame in as_fasta(frames([head], LIMITS), fmt))
    elif fmt not in _PLAIN:
        return False
    text = _HEADERS.sub(b"", head.replace(b"\r", b"\n")).strip()
    return len(text) >= _LEAST and _LETTERS.fullmatch(text) is not None


def tell_simple(sequences: Iterable[tuple[int, str]]) -> list[Notice]:
    """Return a notice about those of some (line, sequence) that are of low complexity, if there are any."""
    lines = sorted(line for line, sequence in sequences if entropy(sequence) < SIMPLE)
    return [notice(LOW_COMPLEXITY, SAID_SIMPLE, lines)] if lines else []


def entropy(sequence: str) -> float:
    """Return Shannon's entropy of a sequence's composition, in bits a residue."""
    counts = Counter(sequence).values()
    return -sum(count / len(sequence) * math.log2(count / len(sequence)) for count in counts)
