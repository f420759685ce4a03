"""Inputs that the tests on the emulated cloud send."""

import gzip
import random

from tools.models.shipped import newest
from tools.paths import ROOT

CLASSIFIER = newest(ROOT / "models", "arxiv-archives").name
"""The version that a deployment publishes."""
ALPHABET = "ACDEFGHIKLMNPQRSTVWY"
DESIGN = "DDEIERIIKKLLKRGVDPDEVKEILRKKGVDPKEIEKLLKDLKLESSGGS"
OTHER = "DEELEKLLKKLLRKGIDPEEIREILKRRGIDPKDIERLLRELKLESSGGS"
POOR = "GSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGSGS"
SHORT = "MKV"
LINES = f"{OTHER}\n{DESIGN}\n{POOR}\n{SHORT}\n".encode()
FASTA = f">other\n{OTHER}\n>design\n{DESIGN[:25]}\n{DESIGN[25:]}\n>poor\n{POOR}\n>short\n{SHORT}\n".encode()
CSV = f"id,sequence,note\nother,{OTHER},b\ndesign,{DESIGN},a\npoor,{POOR},c\nshort,{SHORT},d\n".encode()
GZIP = gzip.compress(LINES, mtime=0)
ABSTRACT = (
    "We compute the cross section for the production of photon pairs in hadron collisions at next-to-leading order "
    "in perturbative QCD and compare it with measurements at the Large Hadron Collider."
)


def sequences(count: int, seed: int, bad_every: int = 1000) -> bytes:
    """Return so many random lines of 50 residues, each `bad_every`th of them too short."""
    letters = random.Random(seed)
    lines = ("".join(letters.choices(ALPHABET, k=49 if at % bad_every == bad_every - 1 else 50)) for at in range(count))
    return "".join(f"{line}\n" for line in lines).encode()
