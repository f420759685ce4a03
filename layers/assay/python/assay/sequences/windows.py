"""Windows along longer sequences: each stretch of the length that a model reads, every `step` residues."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from assay.errors import InvalidOption
from assay.residues import Contract
from assay.sequences.records import ENCODING, RESIDUE, Limits, Reject
from assay.sequences.sniffing import Format
from assay.sequences.validation import Index, Spans


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of `size` residues at 0, `step`, 2 `step`, ...; what is left at the end, shorter, is in none."""

    size: int
    step: int = 1


def hold_windows(windows: Windows, fmt: Format, contract: Contract) -> None:
    """Raise InvalidOption where windows make no sense: for models of another length, or along anything but FASTA."""
    if fmt is not Format.FASTA:
        raise InvalidOption(f"window is for FASTA, and this is read as {fmt.value}", option="window", format=fmt.value)
    if windows.size != contract.length:
        message = f"window is {windows.size}, and the models read sequences of {contract.length} residues"
        raise InvalidOption(message, option="window", length=contract.length)


class Cut(NamedTuple):
    """Windows as spans, the record of each [N], and the residue of its record that each begins with [N], from 0."""

    spans: Spans
    record: Index
    first: Index

    def label(self, word: str, at: int) -> str:
        """Return a window's id: the record's, and its residues from 1 as alignments write them, `P12345/101-150`."""
        return f"{word}/{self.place(at)}"

    def place(self, at: int) -> str:
        """Return the first and the last residue of a window, counted from 1."""
        first = int(self.first[at])
        return f"{first + 1}-{first + int(self.spans.stops[at] - self.spans.starts[at])}"

    def part(self, start: int, stop: int) -> "Cut":
        """Return the windows [start, stop)."""
        return Cut(self.spans.part(start, stop), self.record[start:stop], self.first[start:stop])

    def named(self, reject: Reject, at: int) -> Reject:
        """Return a reject for a residue that says which window it is of."""
        if reject.reason not in (RESIDUE, ENCODING):
            return reject
        return reject._replace(detail=f"residues {self.place(at)}: {reject.detail}")


def cut(spans: Spans, sizes: Index, windows: Windows, limits: Limits) -> Cut:
    """Cut records into windows; one that is too short, or too long to be read, stays whole and will be rejected."""
    widths = spans.stops - spans.starts
    fitting = (widths >= windows.size) & (sizes <= limits.record_bytes)
    counts = np.where(fitting, (widths - windows.size) // windows.step + 1, 1)
    record = np.repeat(np.arange(len(counts)), counts)
    first = (np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts, counts)) * windows.step
    starts = spans.starts[record] + first
    stops = np.where(fitting[record], starts + windows.size, spans.stops[record])
    return Cut(spans._replace(starts=starts, stops=stops, lines=spans.lines[record]), record, first)
