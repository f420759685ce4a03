"""Mini-proteins made on the spot: helical bundles designed by binary patterning, and spoiled copies of them. Seeded."""

import csv
import io
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

LENGTH = 50
HELICES = ((2, 15), (20, 32), (37, 49))  # residues 2..14, 20..31 and 37..48 lie in a helix
_DEGREES = 100.0  # a residue turns an alpha helix by this much
_CORE_WIDTH = 0.0  # cosine to the bundle's axis above which a residue is buried
_SEAM = -0.4

_CORE = "LLLLLIIIVVAFW"
_BOUNDARY = "AALKRIEA"
_SURFACE_FIRST, _SURFACE_LAST = "EEEEDEKR", "KKKRRKEE"  # charges that lie well in the helix's dipole
_CAPS = ("SP", "DP", "TP", "SE")
_LOOPS = ("GNPEE", "GDPEE", "GDPRE", "GNSPE", "GSPEE")
_ENDS = ("G", "S", "N", "K")


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
    design, core = _design(generator)
    variants = {
        "design": design,
        "scramble": "".join(generator.sample(design, LENGTH)),
        "proline": _mutate(design, _helix_centres(), "P"),
        "glycine": _mutate(design, generator.sample(core, 4), "G"),
        "buried_asp": _mutate(design, generator.sample(core, 3), "D"),
    }
    for kind, sequence in variants.items():
        yield Protein(f"{kind}-{number:02d}", kind, sequence)


def _design(generator: random.Random) -> tuple[str, list[int]]:
    """Build three helices whose hydrophobic residues face one side, joined by loops; also where the core lies."""
    residues = list(generator.choice(_CAPS).ljust(LENGTH, "?"))
    for (_, end), (start, _) in pairwise(HELICES):
        residues[end:start] = generator.choice(_LOOPS)
    residues[-1] = generator.choice(_ENDS)
    core = [place for start, end in HELICES for place in _helix(residues, start, end, generator)]
    return "".join(residues), core


def _helix(residues: list[str], start: int, end: int, generator: random.Random) -> list[int]:
    phase = generator.uniform(0, 360)
    core = []
    for place in range(start, end):
        facing = math.cos(math.radians(_DEGREES * (place - start) + phase))
        surface = _SURFACE_FIRST if place - start < (end - start) / 2 else _SURFACE_LAST
        choices = _CORE if facing > _CORE_WIDTH else _BOUNDARY if facing > _SEAM else surface
        residues[place] = generator.choice(choices)
        core += [place] if choices is _CORE else []
    return core


def _helix_centres() -> list[int]:
    return [(start + end) // 2 for start, end in HELICES]


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


def lines(sequences: Sequence[Protein]) -> str:
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
