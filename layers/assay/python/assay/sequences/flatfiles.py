"""FASTQ and flat files of sequence databases as FASTA, line for line: a reject's line is that of the file.

What is no sequence becomes a blank line, which FASTA passes over. Sources: Cock et al. 2010, doi:10.1093/nar/gkp1137
(FASTQ); UniProt's user manual; the INSDC's GenBank release notes, section 3.4.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from assay.sequences.formats import Format
from assay.text.lines import Frame

_NUMBERS: Final = b"0123456789 \t"
Change = Callable[[bytes], bytes]


def as_fasta(framed: Iterable[Frame], fmt: Format) -> Iterator[Frame]:
    """Yield the same lines as FASTA. A line over the longest that is read stays one, and its record is rejected."""
    change = _READERS[fmt]()
    for frame in framed:
        if frame.overlong:
            yield frame
        else:
            lines = map(change, frame.data[:-1].split(b"\n"))
            yield Frame(b"".join(line + b"\n" for line in lines))


class _Fastq:
    """Where in a record reading is: before it, in its sequence, or in its quality, which is as long."""

    def __init__(self) -> None:
        self._residues = 0
        self._quality: int | None = None
        self._within = False

    def __call__(self, line: bytes) -> bytes:
        """Return a line as FASTA has it."""
        if self._quality is not None:
            return self._pass(line)
        if not self._within:
            return self._head(line)
        if line.startswith(b"+"):
            self._quality = 0
            self._within = False
            return b""
        self._residues += len(line.strip())
        return line

    def _head(self, line: bytes) -> bytes:
        """Begin a record; what should be a header and is none is a record without residues, and so rejected."""
        text = line.strip()
        if not text:
            return b""
        self._within, self._residues = text.startswith(b"@"), 0
        return b">" + text.removeprefix(b"@")

    def _pass(self, line: bytes) -> bytes:
        """Pass quality until it is as long as the sequence; `@` may begin a line of it."""
        self._quality = (self._quality or 0) + len(line.strip())
        if self._quality >= self._residues:
            self._quality = None
        return b""


class _Entries:
    """Whether the lines of an entry's sequence have begun."""

    def __init__(self, head: bytes, begin: bytes) -> None:
        self._head, self._begin = head, begin
        self._within = False

    def __call__(self, line: bytes) -> bytes:
        """Return a line as FASTA has it: the entry's name, its residues without numbers, or nothing."""
        if line.startswith(b"//"):
            self._within = False
        elif line.startswith(self._head):
            self._within = False
            return b">" + line[len(self._head) :].strip().partition(b" ")[0].rstrip(b";")
        elif line.startswith(self._begin):
            self._within = True
        elif self._within:
            return line.translate(None, _NUMBERS)
        return b""


_READERS: Final[Mapping[Format, Callable[[], Change]]] = {
    Format.FASTQ: _Fastq,
    Format.EMBL: lambda: _Entries(b"ID   ", b"SQ   "),
    Format.GENBANK: lambda: _Entries(b"LOCUS ", b"ORIGIN"),
}
FLAT: Final = frozenset(_READERS)
"""The formats that are read as FASTA."""
