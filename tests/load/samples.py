"""Requests that callers send, good and bad, made from a seed; each says which statuses are right answers to it."""

import gzip
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

RESIDUES: Final = "ACDEFGHIKLMNPQRSTVWY"
LENGTH: Final = 50
_TEXT: Final = (
    "we study the decay of heavy mesons in lattice simulations with dynamical quarks and compare "
    "cross sections measured at colliders with predictions of effective field theory near threshold"
)
_JSON: Final = {"Content-Type": "application/json"}
_PDF: Final = {"Content-Type": "application/pdf"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One request, and the statuses that answer it rightly."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)
    statuses: tuple[int, ...] = (200,)


Make = Callable[[random.Random], Sample]


def sequence(chance: random.Random) -> str:
    """Return a sequence that a model takes."""
    return "".join(chance.choices(RESIDUES, k=LENGTH))


def abstract(chance: random.Random) -> str:
    """Return an abstract of 60 words."""
    return " ".join(chance.choices(_TEXT.split(), k=60))


def _lines(chance: random.Random) -> bytes:
    found = [sequence(chance) for _ in range(chance.randint(1, 200))]
    return "\n".join([*found, "MKV", "", sequence(chance)[:-1] + "Z"]).encode()


def _fasta(chance: random.Random) -> bytes:
    return "".join(f">design{at}\n{sequence(chance)}\n" for at in range(chance.randint(1, 60))).encode()


RANK: Final[tuple[Make, ...]] = (
    lambda chance: Sample("/rank", json.dumps({"sequences": [sequence(chance) for _ in range(20)]}).encode()),
    lambda chance: Sample("/rank", _lines(chance), {"Content-Type": "text/plain"}),
    lambda chance: Sample("/rank?top_k=5", _fasta(chance), {"Content-Type": "text/x-fasta"}),
    lambda chance: Sample("/rank", gzip.compress(_lines(chance), 1), {"Content-Type": "application/gzip"}),
    lambda chance: Sample("/rank", b'{"sequences": ["' + sequence(chance).encode(), _JSON, (400,)),
    lambda chance: Sample("/rank?top_k=0", _lines(chance), {"Content-Type": "text/plain"}, (400,)),
    lambda chance: Sample("/rank", gzip.compress(_lines(chance))[:-9], {"Content-Type": "application/gzip"}, (422,)),
    lambda chance: Sample("/rank", b"\x89PNG" + chance.randbytes(64), {"Content-Type": "image/png"}, (415,)),
    lambda chance: Sample("/rank", b'{"sequences": [], "strict": "maybe"}', _JSON, (400,)),
)
CLASSIFY: Final[tuple[Make, ...]] = (
    lambda chance: Sample("/classify", json.dumps({"abstract": abstract(chance)}).encode()),
    lambda chance: Sample("/classify", abstract(chance).encode(), {"Content-Type": "text/plain"}),
    lambda chance: Sample("/classify", json.dumps({"abstracts": [abstract(chance), "short"]}).encode()),
    lambda chance: Sample("/predict/", json.dumps({"abstract": abstract(chance)}).encode()),
    lambda chance: Sample("/classify", b'{"abstract": "too short"}', _JSON, (400,)),
    lambda chance: Sample("/classify", b'{"abstract": 5}', _JSON, (400,)),
    lambda chance: Sample("/classify", b"%PDF-1.7 " + chance.randbytes(64), _PDF, (422,)),
    lambda chance: Sample("/classify?threshold=2", json.dumps({"abstract": abstract(chance)}).encode(), _JSON, (400,)),
)


def sample(kind: str, seed: int, number: int) -> Sample:
    """Return the request of a number: always the same of the same seed."""
    chance = random.Random(f"{seed} {kind} {number}")
    return chance.choice(RANK if kind == "rank" else CLASSIFY)(chance)
