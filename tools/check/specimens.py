"""What the checks send: sequences of the models' own length and alphabet, and an abstract, each with a mark of its run.

The mark is a word that nothing else holds, so that a log which holds it holds what a user sent.
"""

import gzip
import json
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

SEQUENCES: Final = 12
SHORT: Final = "MKV"
ABSTRACT: Final = (
    "We measure the spin structure of the proton in polarised deep inelastic scattering, in a run that we call {mark}, "
    "and compare it with calculations in perturbative quantum chromodynamics at next-to-leading order."
)
_FONT: Final = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


@dataclass(frozen=True, slots=True)
class Specimens:
    """What one run sends; `length` in residues of `alphabet`. A file's last record is too short and is rejected."""

    length: int
    alphabet: str
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    mark: str = field(default_factory=lambda: f"probe{secrets.token_hex(6)}")

    @property
    def sequences(self) -> list[str]:
        """Sequences that no other run has."""
        chance = random.Random(self.mark)
        return ["".join(chance.choices(self.alphabet, k=self.length)) for _ in range(SEQUENCES)]

    @property
    def abstract(self) -> str:
        """An abstract that no other run has."""
        return ABSTRACT.format(mark=self.mark)

    def bodies(self) -> dict[str, tuple[str, bytes]]:
        """Return content type and body of each form in which the sequences travel, by the form's name."""
        records = [*self.sequences, SHORT]
        lines = "".join(f"{record}\n" for record in records).encode()
        return {
            "lines": ("text/plain", lines),
            "FASTA": ("text/x-fasta", self.fasta()),
            "CSV": ("text/csv", b"id,sequence\n" + "".join(f"{self.mark},{each}\n" for each in records).encode()),
            "gzip": ("application/gzip", gzip.compress(lines, mtime=0)),
            "octets": ("application/octet-stream", lines),
        }

    def fasta(self) -> bytes:
        """Return the sequences as FASTA."""
        return "".join(f">{self.mark}-{at}\n{each}\n" for at, each in enumerate([*self.sequences, SHORT])).encode()

    def pad_abstracts(self, records: int, size: int) -> bytes:
        """Return JSON lines of so many abstracts in `size` bytes at least: blanks make up what is missing."""
        lines = [json.dumps({"id": str(at), "abstract": f"{self.abstract} ({at})"}) for at in range(records)]
        blanks = " " * max(0, size // records + 1 - len(lines[0]))
        return "".join(f"{line[:-1]}{blanks}}}\n" for line in lines).encode()


def paper(text: str) -> bytes:
    """Return a PDF of one page: a title, the heading "Abstract" and the text below it."""
    return _document(_page(["A paper that a check made", "Abstract", *_wrap(text)]))


def _wrap(text: str, width: int = 80) -> list[str]:
    lines = [""]
    for word in text.split():
        fits = len(lines[-1]) + len(word) < width
        lines[-1:] = [f"{lines[-1]} {word}".strip()] if fits else [lines[-1], word]
    return lines


def _page(lines: Sequence[str]) -> bytes:
    shown = "".join(f"({line.replace('(', '[').replace(')', ']')}) Tj 0 -16 Td " for line in lines)
    return f"BT /F1 11 Tf 60 740 Td {shown}ET".encode("latin-1", "replace")


def _document(content: bytes) -> bytes:
    """Return the objects of a one-page document with the table of their places (ISO 32000-1, 7.5)."""
    fonts = b"<< /Font << /F1 5 0 R >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % fonts
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        _FONT,
    )
    made, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, b"".join(places))
    return made + table + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(made))
