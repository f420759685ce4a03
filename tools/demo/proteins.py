"""Generate mini-proteins: helical bundles designed by binary patterning, and disturbed copies of them. Seeded."""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LENGTH = 50
# Three helices, each with its hydrophobic residues (h, v) on one side, acids first and bases last along it, joined by
# loops of glycine, cap (c) and proline; then the linker that the stability assay puts behind a 43-residue design.
PATTERN = "c--h-+hh++hh+nGvcP--h+-hh+++GvcP+-h-+hh+-h+"
LINKER = "LESSGGS"
RESIDUES = {"h": "LLIV", "v": "VI", "-": "EEED", "+": "KKRR", "c": "SDD", "n": "NKR", "G": "G", "P": "P"}
CORE = [place for place, letter in enumerate(PATTERN) if letter == "h"]
CENTRES = (7, 23, 37)  # the middle of each helix


@dataclass(frozen=True, slots=True)
class Protein:
    """A generated sequence of 50 residues, its name and what was done to it."""

    name: str
    kind: str
    sequence: str


def proteins(families: int, seed: int = 704) -> list[Protein]:
    """Return designs and, of each, a scramble, a proline mutant, a glycine mutant and a buried-aspartate mutant."""
    generator = random.Random(seed)
    return [protein for number in range(1, families + 1) for protein in _family(number, generator)]


def _family(number: int, generator: random.Random) -> Iterator[Protein]:
    design = "".join(generator.choice(RESIDUES[letter]) for letter in PATTERN)
    variants = {
        "design": design,
        "scramble": "".join(generator.sample(design, len(design))),
        "proline": _mutate(design, CENTRES, "P"),
        "glycine": _mutate(design, generator.sample(CORE, 4), "G"),
        "buried_asp": _mutate(design, generator.sample(CORE, 3), "D"),
    }
    for kind, sequence in variants.items():
        yield Protein(f"{kind}-{number:02d}", kind, sequence + LINKER)


def _mutate(sequence: str, places: Sequence[int], residue: str) -> str:
    return "".join(residue if place in places else letter for place, letter in enumerate(sequence))


BAD = (
    ("too-short", "MKKLLPTAAAGLLLLAAQPAMA"),
    ("unknown-residue", "X" * LENGTH),
    ("with-stop", "A" * (LENGTH - 1) + "*"),
)


def fasta(sequences: Sequence[Protein]) -> str:
    """Write FASTA, with the deliberately bad records at the end."""
    good = ((protein.name, protein.sequence) for protein in sequences)
    return "".join(f">{name}\n{sequence}\n" for name, sequence in (*good, *BAD))


def write_proteins(sequences: Sequence[Protein]) -> str:
    """Write a sequence a line, with the deliberately bad ones at the end."""
    return "".join(
        f"{sequence}\n" for sequence in (*(protein.sequence for protein in sequences), *(bad for _, bad in BAD))
    )


def table(sequences: Sequence[Protein]) -> str:
    """Write CSV with the columns id, sequence and kind, with the deliberately bad ones at the end."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "sequence", "kind"))
    writer.writerows((protein.name, protein.sequence, protein.kind) for protein in sequences)
    writer.writerows((name, sequence, "bad") for name, sequence in BAD)
    return text.getvalue()
