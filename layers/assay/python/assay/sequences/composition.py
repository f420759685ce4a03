"""What the composition of sequences says: of bases, of low complexity, or unlike what a model learned from."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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


UNLIKE: Final = "unlike_training"
SENTENCES: Final[Mapping[str, str]] = {
    DNA: "ranked sequences of A, C, G, T and N only: are they DNA? The models read proteins",
    LOW_COMPLEXITY: SAID_SIMPLE,
    UNLIKE: "ranked sequences unlike the proteins that the score model learned from: its scores say less about them",
}
"""The codes that a row may have, the first that holds counting, and what is said of such rows."""
_FEWEST_BASES: Final = 3
"""Different ones of A, C, G and T that make a sequence look like DNA: one or two are rather a repeat."""
_ROWS: Final = 1 << 12
"""Rows worked on at once, so that what is held between two steps stays in the processor's cache."""


@dataclass(frozen=True, eq=False, slots=True)
class Likeness:
    """A linear score of residues and of pairs of residues; below `least` a sequence is unlike training.

    `residues` float32 [A] counts for each residue, `pairs` float32 [A, A] by distance for two residues so far apart.
    """

    least: float
    residues: NDArray[np.float32]
    pairs: Mapping[int, NDArray[np.float32]]

    def rate(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the score [N] of codes [N, length], a mean over what was looked up."""
        total, size = self.residues[codes].sum(1), codes.shape[1]
        terms = size
        wide = codes.astype(np.intp)
        for distance, table in self.pairs.items():
            if distance < size:
                total += table.ravel()[wide[:, :-distance] * len(table) + wide[:, distance:]].sum(1)
                terms += size - distance
        return np.asarray(total / np.float32(terms), np.float32)


def name_notices(codes: NDArray[np.uint8], contract: Contract, likeness: Likeness | None = None) -> list[str | None]:
    """Return the code of each sequence's notice, None for most; `codes` are alphabet indices [N, length]."""
    found = np.zeros(len(codes), np.int8)
    for start in range(0, len(codes), _ROWS):
        rows = codes[start : start + _ROWS]
        counts = count_residues(rows, len(contract.alphabet))
        unlike = likeness.rate(rows) < likeness.least if likeness else np.zeros(len(rows), np.bool_)
        holds = [_looks_like_dna(counts, contract), entropies(counts) < SIMPLE, unlike]
        found[start : start + _ROWS] = np.select(holds, range(1, len(holds) + 1))
    names = [None, *SENTENCES]
    return [names[code] for code in found.tolist()]


def count_residues(codes: NDArray[np.integer], symbols: int) -> NDArray[np.intp]:
    """Return how often each symbol stands in each row of codes [N, length]: [N, symbols]."""
    places = codes + np.arange(len(codes), dtype=np.intp)[:, None] * symbols
    return np.bincount(places.ravel(), minlength=len(codes) * symbols).reshape(-1, symbols)


def entropies(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return Shannon's entropy [N] of compositions [N, symbols], whose rows are of one length, in bits a residue."""
    if not len(counts):
        return np.zeros(0)
    length = int(counts[0].sum())
    shares = np.arange(1, length + 1) / length
    table = np.concatenate([[0.0], -shares * np.log2(shares)])
    return np.asarray(table[counts].sum(1))


def _looks_like_dna(counts: NDArray[np.intp], contract: Contract) -> NDArray[np.bool_]:
    bases = np.array([letter in BASES for letter in contract.alphabet])
    named = np.array([letter in "ACGT" for letter in contract.alphabet])
    alone = ~counts[:, ~bases].any(1)
    return np.asarray(alone & ((counts[:, named] > 0).sum(1) >= _FEWEST_BASES))


def tell_rows(found: Iterable[tuple[int, str | None]]) -> list[Notice]:
    """Return a notice for each code that some (line, code) have: its sentence, the lines, how many there are."""
    lines: dict[str, list[int]] = {}
    for line, code in found:
        if code is not None:
            lines.setdefault(code, []).append(line)
    return [notice(code, SENTENCES[code], sorted(lines[code])) for code in SENTENCES if code in lines]
